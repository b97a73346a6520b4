#include "models/activations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace alcove::models {
namespace {

struct Name {
  std::string_view text;
  Activation activation;
};
constexpr std::array kNames{
    Name{"gelu", Activation::Gelu},
    Name{"gelu_python", Activation::Gelu},
    Name{"gelu_new", Activation::GeluTanh},
    Name{"gelu_fast", Activation::GeluTanh},
    Name{"gelu_pytorch_tanh", Activation::GeluTanh},
    Name{"relu", Activation::Relu},
    Name{"silu", Activation::Silu},
    Name{"swish", Activation::Silu},
    Name{"tanh", Activation::Tanh},
    Name{"leakyrelu", Activation::LeakyRelu},
    Name{"linear", Activation::Identity},
};

constexpr float kLeak = 0.01F;  // PyTorch's default, which the names do not carry
constexpr float kCube = 0.044715F;

// x · (1 + gate) / 2
graph::Value half_gated(graph::Builder& builder, const graph::Value& in, const graph::Value& gate) {
  const auto open = builder.node("Add", {gate, builder.number(1)});
  return builder.node("Mul", {builder.node("Mul", {in, open}), builder.number(0.5F)});
}

graph::Value gelu(graph::Builder& builder, const graph::Value& in) {
  const auto scaled = builder.node("Div", {in, builder.number(std::numbers::sqrt2_v<float>)});
  return half_gated(builder, in, builder.node("Erf", {scaled}));
}

// tanh(√(2/π) · (x + 0.044715 x³)) in place of erf: Hendrycks and Gimpel, arXiv 1606.08415
graph::Value gelu_tanh(graph::Builder& builder, const graph::Value& in) {
  const auto cube =
      builder.node("Mul", {builder.node("Pow", {in, builder.number(3)}), builder.number(kCube)});
  const auto inner = builder.node(
      "Mul", {builder.node("Add", {in, cube}), builder.number(std::sqrt(2 / std::numbers::pi_v<float>))});
  return half_gated(builder, in, builder.node("Tanh", {inner}));
}

}  // namespace

Result<Activation> parse_activation(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const auto& known : kNames)
    if (known.text == lower) return known.activation;
  return fail(ErrorKind::Unsupported,
              fmt::format("the activation '{}' is none of gelu, gelu_new, relu, swish, "
                          "tanh, leakyrelu and linear",
                          name));
}

graph::Value activate(graph::Builder& builder, Activation activation, const graph::Value& in) {
  switch (activation) {
    case Activation::Gelu: return gelu(builder, in);
    case Activation::GeluTanh: return gelu_tanh(builder, in);
    case Activation::Relu: return builder.node("Relu", {in});
    case Activation::Silu: return builder.node("Mul", {in, builder.node("Sigmoid", {in})});
    case Activation::Tanh: return builder.node("Tanh", {in});
    case Activation::LeakyRelu: return builder.node("LeakyRelu", {in}, {{"alpha", kLeak}});
    case Activation::Identity: break;
  }
  return in;
}

}  // namespace alcove::models
