#include "graph/quantize.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>
#include <unordered_map>

#include "graph/state.h"

namespace alcove::graph {
namespace {

// CPUs without VNNI add two products of an unsigned and a signed byte in 16 bits, which saturates: 2 · 255 ·
// 64 still fits. The lost bit shows less than saturation does, and the file works everywhere.
constexpr float kMostKernel = 64;
constexpr float kMostValue = 255;

using Tensors = std::unordered_map<std::string, const onnx::TensorProto*>;

// Initialisers by name, and the values that are one cast to f32.
Tensors trained_tensors(const onnx::GraphProto& graph) {
  Tensors tensors;
  for (const auto& tensor : graph.initializer()) tensors[tensor.name()] = &tensor;
  for (const auto& node : graph.node())
    if (node.op_type() == "Cast" && tensors.contains(node.input(0)))
      tensors[node.output(0)] = tensors[node.input(0)];
  return tensors;
}

bool is_convolution(const onnx::NodeProto& node, const Tensors& tensors) {
  return node.op_type() == "Conv" && node.input_size() >= 2 && tensors.contains(node.input(1));
}

// Those with another one behind them. Nodes are in the order they run.
std::set<const onnx::NodeProto*> inner_convolutions(const onnx::GraphProto& graph, const Tensors& tensors) {
  std::set<const onnx::NodeProto*> inner;
  std::set<std::string> leads_to_one;
  for (int i = graph.node_size() - 1; i >= 0; --i) {
    const auto& node = graph.node(i);
    const bool leads =
        std::ranges::any_of(node.output(), [&](const auto& output) { return leads_to_one.contains(output); });
    const bool convolves = is_convolution(node, tensors);
    if (leads && convolves) inner.insert(&node);
    if (leads || convolves) leads_to_one.insert(node.input().begin(), node.input().end());
  }
  return inner;
}

template <class Stored>
std::vector<Stored> stored(const std::string& raw) {
  std::vector<Stored> values(raw.size() / sizeof(Stored));
  std::memcpy(values.data(), raw.data(), values.size() * sizeof(Stored));
  return values;
}

// None for types a kernel is not stored in.
std::optional<std::vector<float>> numbers_of(const onnx::TensorProto& tensor) {
  if (tensor.data_type() == onnx::TensorProto_DataType_FLOAT)
    return tensor.has_raw_data() ? stored<float>(tensor.raw_data())
                                 : std::vector<float>(tensor.float_data().begin(), tensor.float_data().end());
  std::vector<float> numbers;
  if (tensor.data_type() == onnx::TensorProto_DataType_FLOAT16)
    for (const auto half : stored<_Float16>(tensor.raw_data())) numbers.push_back(static_cast<float>(half));
  else if (tensor.data_type() == onnx::TensorProto_DataType_BFLOAT16)
    for (const auto upper : stored<std::uint16_t>(tensor.raw_data()))
      numbers.push_back(std::bit_cast<float>(std::uint32_t{upper} << 16));
  else
    return std::nullopt;
  return numbers;
}

template <class Stored>
void add_tensor(onnx::GraphProto& graph, const std::string& name, onnx::TensorProto_DataType type,
                const std::vector<std::int64_t>& shape, const std::vector<Stored>& values) {
  auto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const auto size : shape) tensor.add_dims(size);
  tensor.set_raw_data(values.data(), values.size() * sizeof(Stored));
}

void add_node(onnx::GraphProto& graph, const char* operation, const std::vector<std::string>& inputs,
              const std::string& output, std::optional<std::int64_t> axis = {}) {
  auto& node = *graph.add_node();
  node.set_op_type(operation);
  node.set_name(output);
  for (const auto& input : inputs) node.add_input(input);
  node.add_output(output);
  if (!axis) return;
  auto& attribute = *node.add_attribute();
  attribute.set_name("axis");
  attribute.set_type(onnx::AttributeProto_AttributeType_INT);
  attribute.set_i(*axis);
}

// Bytes and back: adds the nodes and gives the value's new name.
std::string through_bytes(onnx::GraphProto& graph, const std::string& value, const Range& seen) {
  const float least = std::min(seen.least, 0.0F), most = std::max(seen.most, 0.0F);
  const float scale = std::max((most - least) / kMostValue, 1e-8F);
  const auto zero = static_cast<std::uint8_t>(std::lround(std::clamp(-least / scale, 0.0F, kMostValue)));
  const auto scale_name = value + ".scale", zero_name = value + ".zero";
  add_tensor<float>(graph, scale_name, onnx::TensorProto_DataType_FLOAT, {}, {scale});
  add_tensor<std::uint8_t>(graph, zero_name, onnx::TensorProto_DataType_UINT8, {}, {zero});
  add_node(graph, "QuantizeLinear", {value, scale_name, zero_name}, value + ".bytes");
  add_node(graph, "DequantizeLinear", {value + ".bytes", scale_name, zero_name}, value + ".again");
  return value + ".again";
}

// The kernel as bytes with a scale for each output channel. None when its numbers cannot be read.
std::optional<std::string> kernel_of_bytes(onnx::GraphProto& graph, const std::string& name,
                                           const onnx::TensorProto& kernel) {
  const auto numbers = numbers_of(kernel);
  const auto channels = kernel.dims_size() > 0 ? static_cast<std::size_t>(kernel.dims(0)) : 0;
  if (!numbers || channels == 0 || numbers->empty() || numbers->size() % channels != 0) return std::nullopt;
  const std::size_t each = numbers->size() / channels;
  std::vector<float> scales(channels);
  std::vector<std::int8_t> bytes(numbers->size());
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const float* from = numbers->data() + channel * each;
    float most = 0;
    for (std::size_t i = 0; i < each; ++i) most = std::max(most, std::abs(from[i]));
    const float scale = scales[channel] = std::max(most / kMostKernel, 1e-12F);
    std::transform(from, from + each, bytes.begin() + static_cast<std::ptrdiff_t>(channel * each),
                   [&](float number) { return static_cast<std::int8_t>(std::lround(number / scale)); });
  }
  const auto count = static_cast<std::int64_t>(channels);
  add_tensor(graph, name + ".bytes", onnx::TensorProto_DataType_INT8,
             {kernel.dims().begin(), kernel.dims().end()}, bytes);
  add_tensor(graph, name + ".scales", onnx::TensorProto_DataType_FLOAT, {count}, scales);
  add_tensor(graph, name + ".zeros", onnx::TensorProto_DataType_INT8, {count},
             std::vector<std::int8_t>(channels));
  add_node(graph, "DequantizeLinear", {name + ".bytes", name + ".scales", name + ".zeros"}, name + ".again",
           0);
  return name + ".again";
}

// Casts and initialisers that nobody asks for any more.
void drop_unused(onnx::GraphProto& graph) {
  const auto used_names = [&] {
    std::set<std::string> used;
    for (const auto& node : graph.node()) used.insert(node.input().begin(), node.input().end());
    for (const auto& output : graph.output()) used.insert(output.name());
    return used;
  };
  auto used = used_names();
  auto& nodes = *graph.mutable_node();
  nodes.erase(std::remove_if(nodes.begin(), nodes.end(),
                             [&](const auto& node) {
                               return node.op_type() == "Cast" && !used.contains(node.output(0));
                             }),
              nodes.end());
  used = used_names();
  auto& tensors = *graph.mutable_initializer();
  tensors.erase(std::remove_if(tensors.begin(), tensors.end(),
                               [&](const auto& tensor) { return !used.contains(tensor.name()); }),
                tensors.end());
}

}  // namespace

std::vector<std::string> values_to_quantize(const Model& model) {
  const auto& graph = model.state_->proto.graph();
  const auto tensors = trained_tensors(graph);
  const auto inner = inner_convolutions(graph, tensors);
  std::vector<std::string> values;
  for (const auto& node : graph.node())
    if (inner.contains(&node) && std::ranges::find(values, node.input(0)) == values.end())
      values.push_back(node.input(0));
  return values;
}

Result<Model> showing(const Model& model, const std::vector<std::string>& values) {
  auto proto = model.state_->inlined();
  auto& graph = *proto.mutable_graph();
  graph.clear_output();
  for (const auto& value : values) {
    auto& output = *graph.add_output();
    output.set_name(value);
    output.mutable_type()->mutable_tensor_type()->set_elem_type(onnx_type(ElementType::F32));
  }
  return Model::read(as_bytes(proto.SerializeAsString()));
}

Result<Model> quantized(const Model& model, const std::map<std::string, Range>& ranges,
                        const std::map<std::string, std::string>& metadata) {
  auto proto = model.state_->inlined();
  auto& graph = *proto.mutable_graph();
  const onnx::GraphProto before = graph;
  const auto tensors = trained_tensors(before);
  const auto inner = inner_convolutions(before, tensors);
  graph.clear_node();
  std::map<std::string, std::string> entering;  // the value as it was, and as it comes back from bytes
  std::map<std::string, std::optional<std::string>> kernels;
  for (const auto& node : before.node()) {
    auto changed = node;
    if (inner.contains(&node) && ranges.contains(node.input(0))) {
      const auto &value = node.input(0), &kernel = node.input(1);
      if (!kernels.contains(kernel)) kernels[kernel] = kernel_of_bytes(graph, kernel, *tensors.at(kernel));
      if (kernels[kernel]) {
        auto& again = entering[value];
        if (again.empty()) again = through_bytes(graph, value, ranges.at(value));
        changed.set_input(0, again);
        changed.set_input(1, *kernels[kernel]);
      }
    }
    *graph.add_node() = std::move(changed);
  }
  drop_unused(graph);
  for (const auto& [key, value] : metadata) {
    auto& entry = *proto.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  return Model::read(as_bytes(proto.SerializeAsString()));
}

}  // namespace alcove::graph
