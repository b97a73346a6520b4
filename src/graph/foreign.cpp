// What is asked of an ONNX file before anything else looks at it.

#include <fmt/format.h>

#include "graph/state.h"

namespace alcove::graph {
namespace {

// Bits per element of the types whose raw bytes can be counted; 0 for the others (strings, and what is newer
// than we are).
int bits_of(std::int32_t type) {
  switch (type) {
    case onnx::TensorProto_DataType_FLOAT:
    case onnx::TensorProto_DataType_INT32:
    case onnx::TensorProto_DataType_UINT32: return 32;
    case onnx::TensorProto_DataType_DOUBLE:
    case onnx::TensorProto_DataType_INT64:
    case onnx::TensorProto_DataType_UINT64: return 64;
    case onnx::TensorProto_DataType_FLOAT16:
    case onnx::TensorProto_DataType_BFLOAT16:
    case onnx::TensorProto_DataType_INT16:
    case onnx::TensorProto_DataType_UINT16: return 16;
    case onnx::TensorProto_DataType_INT8:
    case onnx::TensorProto_DataType_UINT8:
    case onnx::TensorProto_DataType_BOOL: return 8;
    default: return 0;
  }
}

Result<void> check_tensor(const onnx::TensorProto& tensor) {
  if (tensor.data_location() == onnx::TensorProto_DataLocation_EXTERNAL || tensor.external_data_size() > 0)
    return fail(ErrorKind::Unsupported,
                fmt::format("tensor '{}' keeps its numbers in another file; export the model as one file",
                            tensor.name()));
  std::int64_t count = 1;
  for (const auto size : tensor.dims())
    if (size < 0 || __builtin_mul_overflow(count, size, &count))
      return fail(ErrorKind::Unreadable,
                  fmt::format("tensor '{}' has an impossible shape; the file is damaged", tensor.name()));
  const auto bits = bits_of(tensor.data_type());
  if (!tensor.has_raw_data() || bits == 0) return {};
  const auto bytes = tensor.raw_data().size();
  if (static_cast<std::uint64_t>(count) > bytes || bytes * 8 != static_cast<std::uint64_t>(count) * bits)
    return fail(ErrorKind::Unreadable,
                fmt::format("tensor '{}' says {} elements and holds {} bytes; the file is damaged",
                            tensor.name(), count, bytes));
  return {};
}

Result<void> check_graph(const onnx::GraphProto& graph);

Result<void> check_node(const onnx::NodeProto& node) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_t()) TRY(check_tensor(attribute.t()));
    for (const auto& tensor : attribute.tensors()) TRY(check_tensor(tensor));
    if (attribute.has_sparse_tensor()) {
      TRY(check_tensor(attribute.sparse_tensor().values()));
      TRY(check_tensor(attribute.sparse_tensor().indices()));
    }
    // Depth is bounded: protobuf parses at most 100 messages inside each other.
    if (attribute.has_g()) TRY(check_graph(attribute.g()));
    for (const auto& inner : attribute.graphs()) TRY(check_graph(inner));
  }
  return {};
}

Result<void> check_graph(const onnx::GraphProto& graph) {
  for (const auto& tensor : graph.initializer()) TRY(check_tensor(tensor));
  for (const auto& sparse : graph.sparse_initializer()) {
    TRY(check_tensor(sparse.values()));
    TRY(check_tensor(sparse.indices()));
  }
  for (const auto& node : graph.node()) TRY(check_node(node));
  return {};
}

Result<void> check_opset(const onnx::ModelProto& proto) {
  const auto opset = opset_of(proto);
  if (opset < kOldestOpset || opset > kNewestOpset)
    return fail(
        ErrorKind::Unsupported,
        fmt::format("the model is written in ONNX opset {}; {} to {} are read, export it again with opset {}",
                    opset, kOldestOpset, kNewestOpset, kOpset));
  return {};
}

}  // namespace

std::int64_t opset_of(const onnx::ModelProto& proto) {
  std::int64_t opset = 0;
  for (const auto& import : proto.opset_import())
    if (import.domain().empty() || import.domain() == "ai.onnx") opset = import.version();
  return opset;
}

Result<void> check_foreign(const onnx::ModelProto& proto) {
  TRY(check_opset(proto));
  TRY(check_graph(proto.graph()));
  for (const auto& function : proto.functions())
    for (const auto& node : function.node()) TRY(check_node(node));
  return {};
}

}  // namespace alcove::graph
