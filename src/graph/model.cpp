#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <limits>

#include "graph/state.h"

namespace alcove::graph {
namespace {

struct TypeRow {
  ElementType type;
  onnx::TensorProto_DataType onnx;
  std::size_t size;
  std::string_view name;
};
constexpr TypeRow kTypes[] = {
    {ElementType::F32, onnx::TensorProto_DataType_FLOAT, 4, "F32"},
    {ElementType::F16, onnx::TensorProto_DataType_FLOAT16, 2, "F16"},
    {ElementType::BF16, onnx::TensorProto_DataType_BFLOAT16, 2, "BF16"},
    {ElementType::I64, onnx::TensorProto_DataType_INT64, 8, "I64"},
    {ElementType::I32, onnx::TensorProto_DataType_INT32, 4, "I32"},
    {ElementType::Bool, onnx::TensorProto_DataType_BOOL, 1, "BOOL"},
};

const TypeRow& row_of(ElementType type) { return kTypes[static_cast<std::size_t>(type)]; }

const TypeRow* find_row(std::int32_t onnx_type) {
  const auto* row = std::ranges::find_if(kTypes, [&](const auto& each) { return each.onnx == onnx_type; });
  return row == std::end(kTypes) ? nullptr : row;
}

bool is_floating(ElementType type) {
  return type == ElementType::F32 || type == ElementType::F16 || type == ElementType::BF16;
}

// Of a tensor that check_foreign() has passed.
std::int64_t element_count(const onnx::TensorProto& tensor) {
  std::int64_t count = 1;
  for (const auto size : tensor.dims()) count *= size;
  return count;
}

Port port_of(const onnx::ValueInfoProto& info) {
  Port port{.name = info.name()};
  const auto& tensor = info.type().tensor_type();
  if (const auto* row = find_row(tensor.elem_type())) port.type = row->type;
  for (const auto& dimension : tensor.shape().dim()) {
    Dimension own;
    if (dimension.has_dim_value()) own.size = dimension.dim_value();
    own.name = dimension.dim_param();
    port.shape.push_back(std::move(own));
  }
  return port;
}

}  // namespace

std::size_t size_of(ElementType type) { return row_of(type).size; }
std::string_view name_of(ElementType type) { return row_of(type).name; }
std::int32_t onnx_type(ElementType type) { return row_of(type).onnx; }

void Model::State::count(ElementType type, std::int64_t elements) {
  ++tensors;
  parameters += elements;
  elements_stored[type] += elements;
}

onnx::ModelProto Model::State::inlined() const {
  auto copy = proto;
  for (auto& tensor : *copy.mutable_graph()->mutable_initializer()) {
    const auto found = external.find(tensor.name());
    if (found == external.end()) continue;
    tensor.set_raw_data(found->second.mapped, found->second.length);
    tensor.clear_external_data();
    tensor.clear_data_location();
  }
  return copy;
}

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Result<Model> Model::read(Bytes bytes) {
  auto state = std::make_unique<State>();
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    return fail(ErrorKind::TooLarge, "the ONNX file is over 2 GiB, more than its format can hold");
  const auto size = static_cast<int>(bytes.size());
  google::protobuf::io::CodedInputStream stream(bytes.data(), size);
  stream.SetTotalBytesLimit(size);
  if (!state->proto.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage() ||
      state->proto.graph().node_size() == 0)
    return fail(ErrorKind::Unreadable,
                "this is not a whole ONNX model; it was cut short or is another kind of file, export or "
                "download it again");
  TRY(check_foreign(state->proto));
  for (const auto& entry : state->proto.metadata_props()) state->metadata[entry.key()] = entry.value();
  for (const auto& tensor : state->proto.graph().initializer()) {
    const auto* row = find_row(tensor.data_type());
    if (row != nullptr && is_floating(row->type)) state->count(row->type, element_count(tensor));
  }
  return Model(std::move(state));
}

std::vector<Port> Model::inputs() const {
  const auto& graph = state_->proto.graph();
  std::vector<Port> ports;
  for (const auto& info : graph.input()) {
    const bool has_value = std::ranges::any_of(
        graph.initializer(), [&](const auto& tensor) { return tensor.name() == info.name(); });
    if (!has_value) ports.push_back(port_of(info));
  }
  return ports;
}

std::vector<Port> Model::outputs() const {
  std::vector<Port> ports;
  for (const auto& info : state_->proto.graph().output()) ports.push_back(port_of(info));
  return ports;
}

const std::map<std::string, std::string>& Model::metadata() const { return state_->metadata; }
std::size_t Model::tensor_count() const { return state_->tensors; }
std::int64_t Model::parameter_count() const { return state_->parameters; }

ElementType Model::stored_as() const {
  const auto& stored = state_->elements_stored;
  const auto most = std::ranges::max_element(stored, {}, [](const auto& entry) { return entry.second; });
  return most == stored.end() ? ElementType::F32 : most->first;
}

std::string Model::write_referencing(const std::filesystem::path& base) const {
  if (base.empty() || state_->files.empty()) return state_->proto.SerializeAsString();
  std::map<std::filesystem::path, std::string> locations;
  for (const auto& file : state_->files) {
    std::error_code ignored;  // a file that has gone since is the engine's to report
    locations[file] = std::filesystem::weakly_canonical(file, ignored).lexically_relative(base).string();
  }
  auto proto = state_->proto;
  for (auto& tensor : *proto.mutable_graph()->mutable_initializer()) {
    const auto found = state_->external.find(tensor.name());
    if (found == state_->external.end()) continue;
    for (auto& entry : *tensor.mutable_external_data())
      if (entry.key() == "location") entry.set_value(locations[found->second.file]);
  }
  return proto.SerializeAsString();
}

std::vector<Model::ExternalFile> Model::external_files() const {
  std::vector<ExternalFile> files;
  for (const auto& file : state_->files) files.push_back({file.filename().string(), file});
  return files;
}

Result<std::string> Model::write_inlined() const {
  std::uint64_t total = state_->proto.ByteSizeLong();
  for (const auto& [name, data] : state_->external) total += data.length;
  // Lengths and tags of the tensors themselves stay far below this margin.
  if (total > static_cast<std::uint64_t>(std::numeric_limits<int>::max()) - (std::uint64_t{1} << 20))
    return fail(ErrorKind::TooLarge,
                fmt::format("the model takes {} bytes; one ONNX file holds at most 2 GiB", total));
  return state_->inlined().SerializeAsString();
}

}  // namespace alcove::graph
