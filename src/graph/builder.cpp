#include "graph/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "graph/state.h"

namespace alcove::graph {
namespace {

// libonnx 1.12 is the oldest we meet; 8 is its version of the file format.
constexpr std::int64_t kIrVersion = 8;

void describe(const Port& port, onnx::ValueInfoProto& info) {
  info.set_name(port.name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx_type(port.type));
  auto& shape = *tensor.mutable_shape();
  for (const auto& dimension : port.shape) {
    auto& entry = *shape.add_dim();
    if (dimension.name.empty()) {
      if (dimension.size >= 0) entry.set_dim_value(dimension.size);
    } else {
      entry.set_dim_param(dimension.name);
    }
  }
}

void describe(ElementType type, const Integers& shape, onnx::TensorProto& tensor) {
  tensor.set_data_type(onnx_type(type));
  for (const auto length : shape) tensor.add_dims(length);
}

void set(onnx::AttributeProto& proto, std::int64_t value) {
  proto.set_type(onnx::AttributeProto_AttributeType_INT);
  proto.set_i(value);
}
void set(onnx::AttributeProto& proto, float value) {
  proto.set_type(onnx::AttributeProto_AttributeType_FLOAT);
  proto.set_f(value);
}
void set(onnx::AttributeProto& proto, const std::string& value) {
  proto.set_type(onnx::AttributeProto_AttributeType_STRING);
  proto.set_s(value);
}
void set(onnx::AttributeProto& proto, const Integers& values) {
  proto.set_type(onnx::AttributeProto_AttributeType_INTS);
  for (const auto value : values) proto.add_ints(value);
}

void add_entry(onnx::TensorProto& tensor, const char* key, const std::string& value) {
  auto& entry = *tensor.add_external_data();
  entry.set_key(key);
  entry.set_value(value);
}

std::int64_t element_count(const Integers& shape) {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  return count;
}

}  // namespace

Builder::Builder(std::string name) : state_(std::make_unique<Model::State>()) {
  auto& proto = state_->proto;
  proto.set_ir_version(kIrVersion);
  proto.set_producer_name("alcove");
  proto.add_opset_import()->set_version(kOpset);
  proto.mutable_graph()->set_name(std::move(name));
}
Builder::Builder(Builder&&) noexcept = default;
Builder::~Builder() = default;

Builder::Scope::Scope(Builder& builder, std::string_view name)
    : builder_(builder), outer_(std::move(builder.scope_)) {
  builder_.scope_ = std::string(name) + "/";
}

std::string Builder::unique(std::string wanted) {
  auto& next = taken_[wanted];
  if (next++ == 0) return wanted;
  // The numbered name may itself be one that somebody asked for.
  return unique(fmt::format("{}_{}", wanted, next - 1));
}

Value Builder::input(const Port& port) {
  describe(port, *state_->proto.mutable_graph()->add_input());
  taken_[port.name] = 1;
  return {port.name};
}

void Builder::output(const Port& port) {
  assert(taken_.contains(port.name));
  describe(port, *state_->proto.mutable_graph()->add_output());
}

Value Builder::add_constant(ElementType type, const Integers& shape, const void* data, std::size_t size) {
  const auto made = node("Constant", {});
  auto& attribute = *state_->proto.mutable_graph()->mutable_node()->rbegin()->add_attribute();
  attribute.set_name("value");
  attribute.set_type(onnx::AttributeProto_AttributeType_TENSOR);
  describe(type, shape, *attribute.mutable_t());
  attribute.mutable_t()->set_raw_data(data, size);
  return made;
}

Value Builder::add_weight(const Weight& weight) {
  const auto elements = element_count(weight.shape);
  [[maybe_unused]] const auto length = static_cast<std::size_t>(elements) * size_of(weight.type);
  auto& tensor = *state_->proto.mutable_graph()->add_initializer();
  const auto name = unique(weight.name);
  tensor.set_name(name);
  describe(weight.type, weight.shape, tensor);
  if (const auto* inside = std::get_if<std::string>(&weight.data)) {
    assert(inside->size() == length);
    tensor.set_raw_data(*inside);
  } else {
    const auto& outside = std::get<ExternalData>(weight.data);
    assert(outside.length == length);
    tensor.set_data_location(onnx::TensorProto_DataLocation_EXTERNAL);
    add_entry(tensor, "location", outside.file.filename().string());
    add_entry(tensor, "offset", std::to_string(outside.offset));
    add_entry(tensor, "length", std::to_string(outside.length));
    state_->external[name] = outside;
    auto& files = state_->files;
    if (std::ranges::find(files, outside.file) == files.end()) files.push_back(outside.file);
  }
  state_->count(weight.type, elements);
  if (weight.type == ElementType::F32) return {name};
  return node("Cast", {{name}}, {{"to", std::int64_t{onnx_type(ElementType::F32)}}}, name + "_f32");
}

Value Builder::integers(const Integers& values) {
  auto& known = constants_[fmt::format("[{}]", fmt::join(values, ","))];
  if (known.name.empty())
    known = add_constant(ElementType::I64, {static_cast<std::int64_t>(values.size())}, values.data(),
                         values.size() * sizeof(std::int64_t));
  return known;
}

Value Builder::integer(std::int64_t value) {
  auto& known = constants_[fmt::format("{}", value)];
  if (known.name.empty()) known = add_constant(ElementType::I64, {}, &value, sizeof value);
  return known;
}

Value Builder::floats(std::span<const float> values, const Integers& shape) {
  assert(static_cast<std::int64_t>(values.size()) == element_count(shape));
  return add_constant(ElementType::F32, shape, values.data(), values.size_bytes());
}

Value Builder::number(float value) {
  auto& known = constants_[fmt::format("{:a}", value)];
  if (known.name.empty()) known = floats({&value, 1}, {});
  return known;
}

Value Builder::node(std::string_view operation, const std::vector<Value>& inputs,
                    const std::vector<Attribute>& attributes, std::string name) {
  auto& node = *state_->proto.mutable_graph()->add_node();
  node.set_op_type(std::string(operation));
  node.set_name(unique(name.empty() ? fmt::format("{}{}", scope_, operation) : std::move(name)));
  for (const auto& value : inputs) node.add_input(value.name);
  for (const auto& attribute : attributes) {
    auto& proto = *node.add_attribute();
    proto.set_name(std::string(attribute.name));
    std::visit([&](const auto& value) { set(proto, value); }, attribute.value);
  }
  node.add_output(node.name());
  return {node.name()};
}

std::vector<Value> Builder::nodes(std::string_view operation, std::size_t count,
                                  const std::vector<Value>& inputs,
                                  const std::vector<Attribute>& attributes) {
  std::vector<Value> values{node(operation, inputs, attributes)};
  auto& made = *state_->proto.mutable_graph()->mutable_node()->rbegin();
  while (values.size() < count) {
    values.push_back({unique(fmt::format("{}.{}", made.name(), values.size()))});
    made.add_output(values.back().name);
  }
  return values;
}

void Builder::metadata(std::string_view key, std::string_view value) {
  state_->metadata[std::string(key)] = value;
}

Model Builder::finish() && {
  for (const auto& [key, value] : state_->metadata) {
    auto& entry = *state_->proto.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  return Model(std::move(state_));
}

}  // namespace alcove::graph
