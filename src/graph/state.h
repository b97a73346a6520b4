#pragma once
// Private to graph/: what a Model holds. The one place that includes libonnx's generated header.

#include <onnx/onnx_pb.h>

#include <unordered_map>

#include "graph/graph.h"

namespace alcove::graph {

inline constexpr std::int64_t kOpset = 17;
inline constexpr std::int64_t kNewestOpset = 23;  // of files read; engines know their own limits
inline constexpr std::int64_t kOldestOpset = 9;

struct Model::State {
  onnx::ModelProto proto;  // complete but for the numbers of `external`
  // By initialiser name. proto's entries say file name, offset and length; these say where that is.
  std::unordered_map<std::string, ExternalData> external;
  std::vector<std::filesystem::path> files;
  std::map<std::string, std::string> metadata;

  std::size_t tensors = 0;
  std::int64_t parameters = 0;
  std::map<ElementType, std::int64_t> elements_stored;

  void count(ElementType type, std::int64_t elements);
  // A copy with the numbers of `external` inside.
  onnx::ModelProto inlined() const;
};

std::int32_t onnx_type(ElementType type);
std::int64_t opset_of(const onnx::ModelProto& proto);  // of ONNX's own operators; 0 when it says none

// Writes the type and shape of every value it can tell into the proto. Throws libonnx's exceptions; `strict`:
// at a node that cannot be inferred too.
void infer_types(onnx::ModelProto& proto, bool strict);

// What Model::read() asks of a parsed file: opset, no external data anywhere, sizes that fit their bytes.
Result<void> check_foreign(const onnx::ModelProto& proto);

}  // namespace alcove::graph
