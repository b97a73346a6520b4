#include "graph/half.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "graph/state.h"

namespace alcove::graph {
namespace {

constexpr float kMostHalf = 65504;
constexpr auto kFloat = onnx::TensorProto_DataType_FLOAT;
constexpr auto kFloat16 = onnx::TensorProto_DataType_FLOAT16;

// Where the work is.
constexpr std::array<std::string_view, 6> kHeavy{"Conv", "ConvTranspose", "MatMul", "Gemm", "LSTM", "GRU"};
// What may stand between, and is defined for f16 in every one of its f32 inputs (but for kFirstAlone).
constexpr std::array<std::string_view, 32> kLight{"Add",
                                                  "AveragePool",
                                                  "BatchNormalization",
                                                  "Clip",
                                                  "Concat",
                                                  "Div",
                                                  "Erf",
                                                  "Expand",
                                                  "GlobalAveragePool",
                                                  "Gather",
                                                  "Identity",
                                                  "LeakyRelu",
                                                  "MaxPool",
                                                  "Mul",
                                                  "Pad",
                                                  "LayerNormalization",
                                                  "Relu",
                                                  "Reshape",
                                                  "Resize",
                                                  "Sigmoid",
                                                  "Slice",
                                                  "Softmax",
                                                  "Split",
                                                  "Sqrt",
                                                  "Squeeze",
                                                  "Sub",
                                                  "Tanh",
                                                  "Transpose",
                                                  "Unsqueeze",
                                                  "HardSwish",
                                                  "Flatten",
                                                  "ReduceMean"};
constexpr std::string_view kFirstAlone = "Resize";  // its scales are f32 whatever it resizes

bool is_heavy(const onnx::NodeProto& node) {
  return std::ranges::find(kHeavy, node.op_type()) != kHeavy.end();
}
bool is_light(const onnx::NodeProto& node) {
  return std::ranges::find(kLight, node.op_type()) != kLight.end();
}

bool has_graph_inside(const onnx::NodeProto& node) {
  return std::ranges::any_of(node.attribute(), [](const auto& attribute) {
    return attribute.type() == onnx::AttributeProto_AttributeType_GRAPH ||
           attribute.type() == onnx::AttributeProto_AttributeType_GRAPHS;
  });
}

// The names of every value of f32.
Result<std::set<std::string>> floats_of(const onnx::ModelProto& model) {
  auto inferred = model;
  try {
    infer_types(inferred, false);
  } catch (const std::exception& exception) {
    return fail(ErrorKind::Unreadable,
                fmt::format("the types of the graph do not fit: {}", exception.what()));
  }
  std::set<std::string> floats;
  const auto note = [&](const auto& values) {
    for (const auto& value : values)
      if (value.type().tensor_type().elem_type() == kFloat) floats.insert(value.name());
  };
  const auto& graph = inferred.graph();
  note(graph.input()), note(graph.output()), note(graph.value_info());
  for (const auto& tensor : graph.initializer())
    if (tensor.data_type() == kFloat) floats.insert(tensor.name());
  return floats;
}

class Halver {
 public:
  Halver(onnx::GraphProto& graph, std::set<std::string> floats)
      : graph_(graph), before_(graph), floats_(std::move(floats)) {}

  void rewrite() {
    const auto halved = nodes_to_halve();
    for (const auto& node : before_.node())
      if (node.op_type() == "Constant") constants_[node.output(0)] = &node;
    graph_.clear_node();
    for (int i = 0; i < before_.node_size(); ++i)
      if (halved.contains(i))
        add_in_half(before_.node(i));
      else
        add_as_it_is(before_.node(i));
    for (const auto& output : before_.output()) need_full(output.name());
  }

 private:
  // Heavy nodes, and light ones with a heavy one behind them. Nodes are in the order they run.
  std::set<int> nodes_to_halve() const {
    std::set<int> halved;
    std::set<std::string> leads_to_heavy;
    for (int i = before_.node_size() - 1; i >= 0; --i) {
      const auto& node = before_.node(i);
      const bool leads =
          std::ranges::any_of(node.output(), [&](const auto& name) { return leads_to_heavy.contains(name); });
      const bool of_floats =
          std::ranges::any_of(node.output(), [&](const auto& name) { return floats_.contains(name); });
      if (of_floats && (is_heavy(node) || (leads && is_light(node)))) halved.insert(i);
      if (leads || is_heavy(node)) leads_to_heavy.insert(node.input().begin(), node.input().end());
    }
    return halved;
  }

  void add_cast(const std::string& from, const std::string& to, onnx::TensorProto_DataType type) {
    auto& node = *graph_.add_node();
    node.set_op_type("Cast");
    node.set_name(to + ".cast");  // the value's name may be that of the node that gave it before
    node.add_input(from);
    node.add_output(to);
    auto& attribute = *node.add_attribute();
    attribute.set_name("to");
    attribute.set_type(onnx::AttributeProto_AttributeType_INT);
    attribute.set_i(type);
  }

  static std::string half_name(const std::string& name) { return name + ".half"; }

  // False when its numbers are not where ours are written.
  bool add_half_constant(const onnx::NodeProto& constant) {
    if (constant.attribute_size() != 1 || !constant.attribute(0).t().has_raw_data()) return false;
    auto node = constant;
    auto& tensor = *node.mutable_attribute(0)->mutable_t();
    std::vector<float> numbers(tensor.raw_data().size() / sizeof(float));
    std::memcpy(numbers.data(), tensor.raw_data().data(), numbers.size() * sizeof(float));
    std::vector<_Float16> halves;
    for (const float number : numbers)
      halves.push_back(static_cast<_Float16>(std::clamp(number, -kMostHalf, kMostHalf)));
    tensor.set_data_type(kFloat16);
    tensor.set_raw_data(halves.data(), halves.size() * sizeof(_Float16));
    node.set_name(half_name(constant.output(0)));
    node.set_output(0, node.name());
    *graph_.add_node() = std::move(node);
    return true;
  }

  std::string need_half(const std::string& name) {
    if (!in_half_.insert(name).second) return half_name(name);
    const auto constant = constants_.find(name);
    if (constant == constants_.end() || !add_half_constant(*constant->second))
      add_cast(name, half_name(name), kFloat16);
    return half_name(name);
  }

  // A value that only exists in half so far.
  void need_full(const std::string& name) {
    if (only_half_.erase(name) > 0) add_cast(half_name(name), name, kFloat);
  }

  void add_in_half(const onnx::NodeProto& node) {
    auto changed = node;
    const int inputs = node.op_type() == kFirstAlone ? std::min(node.input_size(), 1) : node.input_size();
    for (int i = 0; i < node.input_size(); ++i)
      if (i < inputs && floats_.contains(node.input(i)))
        changed.set_input(i, need_half(node.input(i)));
      else
        need_full(node.input(i));
    for (auto& output : *changed.mutable_output()) {
      if (!floats_.contains(output)) continue;
      in_half_.insert(output);
      only_half_.insert(output);
      output = half_name(output);
    }
    *graph_.add_node() = std::move(changed);
  }

  void add_as_it_is(const onnx::NodeProto& node) {
    for (const auto& input : node.input()) need_full(input);
    *graph_.add_node() = node;
  }

  onnx::GraphProto& graph_;
  const onnx::GraphProto before_;
  const std::set<std::string> floats_;
  std::map<std::string, const onnx::NodeProto*> constants_;
  std::set<std::string> in_half_, only_half_;
};

}  // namespace

Result<std::string> in_half(const std::string& onnx) {
  onnx::ModelProto model;
  if (!model.ParseFromString(onnx)) return fail(ErrorKind::Unreadable, "not an ONNX model");
  if (std::ranges::any_of(model.graph().node(), has_graph_inside))
    return fail(ErrorKind::Unsupported, "f16 is for graphs without graphs inside");
  if (std::ranges::none_of(model.graph().node(), is_heavy))
    return fail(ErrorKind::Unsupported, "f16 has nothing to speed up in this graph");
  auto floats = TRY(floats_of(model));
  // Types written down by whoever made the model are of before.
  model.mutable_graph()->clear_value_info();
  Halver(*model.mutable_graph(), std::move(floats)).rewrite();
  return model.SerializeAsString();
}

}  // namespace alcove::graph
