#include "models/crnn_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "models/initialisers.h"

namespace alcove::models {
namespace {

using graph::Integers;
using graph::Value;
using weights::NamedTensors;
using weights::Tensor;

constexpr float kNormEpsilon = 1e-5F;  // PyTorch's default; a state dict does not hold it

// PyTorch stacks an LSTM's gates as input, forget, cell, output; ONNX as input, output, forget, cell.
constexpr std::size_t kGateOrder[] = {0, 3, 1, 2};

// Rows of several tensors, gate by gate in ONNX's order, one direction after the other, in the precision they
// are stored in when all share one.
struct Gates {
  graph::ElementType type = graph::ElementType::F32;
  std::string bytes;
};

Result<std::string> row_major(const Tensor& tensor, graph::ElementType type) {
  if (type != graph::ElementType::F32)
    return std::string(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  const auto floats = TRY(weights::to_floats(tensor));
  return std::string(reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float));
}

Result<Gates> gather_gates(const std::vector<const Tensor*>& tensors) {
  Gates gates;
  const auto kept = kept_type(tensors.front()->type);
  const bool as_stored = kept && std::ranges::all_of(tensors, [&](const auto* tensor) {
                           return tensor->type == tensors.front()->type && tensor->is_contiguous();
                         });
  if (as_stored) gates.type = *kept;
  for (const auto* tensor : tensors) {
    const auto rows = TRY(row_major(*tensor, gates.type));
    const auto gate = rows.size() / std::size(kGateOrder);
    for (const auto from : kGateOrder) gates.bytes.append(rows, from * gate, gate);
  }
  return gates;
}

class ReaderGraph {
 public:
  ReaderGraph(graph::Builder& builder, const NamedTensors& tensors, const ReaderShape& shape)
      : builder_(builder), tensors_(tensors), shape_(shape) {}

  // [N, in, H, W] → [N, out, H', W']
  Result<Value> convolution(const Convolution& row, Value maps) {
    const auto name = fmt::format("cnn.{}", row.index);
    const auto scope = builder_.enter(name);
    std::vector<Value> inputs{maps, TRY(tensor(name + ".weight"))};
    if (tensors_.contains(name + ".bias")) inputs.push_back(TRY(tensor(name + ".bias")));
    maps = builder_.node("Conv", inputs,
                         {{"kernel_shape", Integers{row.kernel_height, row.kernel_width}},
                          {"pads", Integers{row.pad_height, row.pad_width, row.pad_height, row.pad_width}}});
    if (row.norm) maps = TRY(norm(row.index + 1, maps));
    maps = builder_.node("Relu", {maps});
    if (row.pool_height == 1) return maps;
    const Integers window{row.pool_height, row.pool_width};
    return builder_.node("MaxPool", {maps}, {{"kernel_shape", window}, {"strides", window}});
  }

  // [T, N, in] → [T, N, hidden of each way]
  Result<Value> lstm(std::size_t layer, const Value& steps) {
    const auto& [in, hidden] = shape_.lstm[layer];
    const auto scope = builder_.enter(fmt::format("rnn.l{}", layer));
    const std::int64_t ways = shape_.two_way ? 2 : 1;
    const auto input_gates = TRY(gates("weight_ih", layer, {ways, 4 * hidden, in}));
    const auto hidden_gates = TRY(gates("weight_hh", layer, {ways, 4 * hidden, hidden}));
    std::vector<Value> inputs{steps, input_gates, hidden_gates};
    if (tensors_.contains(fmt::format("rnn.bias_ih_l{}", layer)))
      inputs.push_back(TRY(biases(layer, hidden)));
    const auto out =
        builder_.node("LSTM", inputs,
                      {{"hidden_size", hidden}, {"direction", shape_.two_way ? "bidirectional" : "forward"}});
    // [T, ways, N, hidden]: the ways side by side.
    const auto beside = builder_.node("Transpose", {out}, {{"perm", Integers{0, 2, 1, 3}}});
    return builder_.node("Reshape", {beside, builder_.integers({0, 0, -1})});
  }

  Result<void> logits(const Value& steps) {
    const auto kernel = builder_.node("Transpose", {TRY(tensor("fc.weight"))}, {{"perm", Integers{1, 0}}});
    const bool has_bias = tensors_.contains("fc.bias");
    const auto product = builder_.node("MatMul", {steps, kernel}, {}, has_bias ? "" : "logits");
    if (has_bias) builder_.node("Add", {product, TRY(tensor("fc.bias"))}, {}, "logits");
    return {};
  }

 private:
  Result<Value> tensor(const std::string& name) { return add_tensor(builder_, name, tensors_.at(name)); }

  Result<Value> norm(int index, const Value& maps) {
    std::vector<Value> inputs{maps};
    for (const auto* part : {"weight", "bias", "running_mean", "running_var"})
      inputs.push_back(TRY(tensor(fmt::format("cnn.{}.{}", index, part))));
    return builder_.node("BatchNormalization", inputs, {{"epsilon", kNormEpsilon}});
  }

  std::vector<const Tensor*> both_ways(const std::vector<std::string>& names, std::size_t layer) const {
    std::vector<const Tensor*> found;
    for (const auto* way : {"", "_reverse"})
      for (const auto& name : names)
        if (shape_.two_way || *way == '\0')
          found.push_back(&tensors_.at(fmt::format("rnn.{}_l{}{}", name, layer, way)));
    return found;
  }

  Result<Value> add_gates(const std::string& name, Integers shape,
                          const std::vector<const Tensor*>& tensors) {
    auto gates = TRY(gather_gates(tensors));
    return builder_.add_weight({name, gates.type, std::move(shape), std::move(gates.bytes)});
  }

  Result<Value> gates(const std::string& name, std::size_t layer, Integers shape) {
    return add_gates(fmt::format("rnn.{}_l{}", name, layer), std::move(shape), both_ways({name}, layer));
  }

  Result<Value> biases(std::size_t layer, std::int64_t hidden) {
    return add_gates(fmt::format("rnn.bias_l{}", layer), {shape_.two_way ? 2 : 1, 8 * hidden},
                     both_ways({"bias_ih", "bias_hh"}, layer));
  }

  graph::Builder& builder_;
  const NamedTensors& tensors_;
  const ReaderShape& shape_;
};

}  // namespace

Result<void> add_reader(graph::Builder& builder, const NamedTensors& tensors, const ReaderShape& shape) {
  ReaderGraph reader(builder, tensors, shape);
  auto maps = builder.input(
      {"images",
       graph::ElementType::F32,
       {{.name = "batch"}, {.size = 1, .name = {}}, {.size = kReaderHeight, .name = {}}, {.name = "width"}}});
  for (const auto& row : shape.convolutions) maps = TRY(reader.convolution(row, maps));
  // [N, C, 1, T] → [T, N, C]
  auto steps = builder.node("Transpose", {builder.node("Squeeze", {maps, builder.integers({2})})},
                            {{"perm", Integers{2, 0, 1}}});
  for (std::size_t layer = 0; layer < shape.lstm.size(); ++layer) steps = TRY(reader.lstm(layer, steps));
  TRY(reader.logits(steps));
  builder.output({"logits",
                  graph::ElementType::F32,
                  {{.name = "steps"}, {.name = "batch"}, {.size = shape.classes, .name = {}}}});
  return {};
}

}  // namespace alcove::models
