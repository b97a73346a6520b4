// Follows the package `adapters` (1.3), class Adapter and ParallelAdapter: pre_forward, forward,
// post_forward.

#include "models/bert_adapter.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/initialisers.h"

namespace alcove::models {

using graph::Integers;
using graph::Value;
using weights::Tensor;

namespace {

constexpr float kNormEpsilon = 1e-5F;  // PyTorch's default, which the package leaves as it is
constexpr std::int64_t kWidestBottleneck = 1 << 16;
constexpr std::string_view kMark = ".adapters.";  // stands before the adapter's own name

// "bert.encoder.layer.3.output.adapters.NAME.gate.weight" belongs to ("encoder.layer.3.output",
// "gate.weight").
struct TensorName {
  std::string_view place, part;
};
TensorName take_apart(std::string_view name) {
  const auto mark = name.find(kMark);
  if (mark == name.npos) return {};
  auto place = name.substr(0, mark);
  if (place.starts_with("bert.")) place.remove_prefix(5);
  const auto rest = name.substr(mark + kMark.size());
  const auto dot = rest.find('.');
  return {place, dot == rest.npos ? std::string_view() : rest.substr(dot + 1)};
}

}  // namespace

struct AdapterGraph::Parts {
  std::string name;  // of the place
  weights::NamedTensors tensors;

  const Tensor* find(const std::string& part) const {
    const auto found = tensors.find(part);
    return found == tensors.end() ? nullptr : &found->second;
  }
  Result<const Tensor*> need(const std::string& part, const Integers& shape) const {
    auto found = need_tensor(tensors, part, shape);
    if (!found) return fail_in("the adapter at " + name, std::move(found).error());
    return found;
  }
};

bool AdapterGraph::sits_at(std::int64_t layer, Place place) const {
  const auto& config = adapter_.config;
  return (place == Place::Attention ? config.mh_adapter : config.output_adapter) &&
         !config.leave_out.contains(layer);
}

Result<AdapterGraph::Parts> AdapterGraph::parts_at(std::int64_t layer, Place place) {
  Parts parts{.name = fmt::format("encoder.layer.{}.{}", layer,
                                  place == Place::Attention ? "attention.output" : "output")};
  for (const auto& [name, tensor] : adapter_.tensors) {
    const auto [where, part] = take_apart(name);
    if (where != parts.name) continue;
    parts.tensors.emplace(part, tensor);
    used_.insert(name);
  }
  return parts;
}

Result<Value> AdapterGraph::norm(const Parts& parts, const std::string& part, const Value& in) {
  std::vector<Value> inputs{in};
  for (const auto* piece : {".weight", ".bias"}) {
    const auto* tensor = TRY(parts.need(part + piece, {bert_.hidden}));
    inputs.push_back(TRY(add_tensor(builder_, parts.name + "." + part + piece, *tensor)));
  }
  return builder_.node("LayerNormalization", inputs, {{"epsilon", kNormEpsilon}});
}

Result<Value> AdapterGraph::add(std::int64_t layer, Place place, const Value& out, const Value& in,
                                const Value& mask, const Norm& original) {
  const auto& config = adapter_.config;
  const auto parts = TRY(parts_at(layer, place));
  const auto scope = builder_.enter(parts.name + ".adapter");
  auto hidden = config.is_parallel ? in : out;
  auto bypass = out;
  if (config.original_ln_before && !config.is_parallel) {
    hidden = plus(hidden, in);
    if (config.residual_before_ln == Bypass::AfterAdd) bypass = hidden;
    hidden = original(hidden);
  }
  if (config.residual_before_ln == Bypass::AfterNorm && !config.is_parallel) bypass = hidden;

  const bool bypass_first = config.adapter_residual_before_ln && !config.is_parallel;
  auto value = TRY(bottleneck(parts, hidden, mask));
  if (bypass_first) value = plus(value, bypass);
  if (config.ln_after) value = TRY(norm(parts, "adapter_norm_after", value));
  if (!bypass_first) value = plus(value, bypass);
  return config.original_ln_after ? original(plus(value, in)) : value;
}

// up(activation(down(in))), scaled, and opened as far as a gate says.
Result<Value> AdapterGraph::bottleneck(const Parts& parts, const Value& in, const Value& mask) {
  const auto& config = adapter_.config;
  auto value = config.ln_before ? TRY(norm(parts, "adapter_norm_before", in)) : in;
  // The norm, where there is one, is the first member of the same sequence.
  const auto down_name = fmt::format("adapter_down.{}", config.ln_before ? 1 : 0);
  const auto* down = parts.find(down_name + ".weight");
  const auto narrow = down && !down->shape.empty() ? down->shape[0] : 1;
  value = TRY(
      linear(parts, down_name, bert_.hidden, std::clamp<std::int64_t>(narrow, 1, kWidestBottleneck), value));
  value = activate(builder_, config.non_linearity, value);
  value = TRY(linear(parts, "adapter_up", narrow, bert_.hidden, value));
  if (config.learned_scaling) {
    const auto* factor = parts.find("scaling");
    const auto count = factor && factor->shape == Integers{bert_.hidden} ? bert_.hidden : 1;
    const auto* tensor = TRY(parts.need("scaling", {count}));
    value = builder_.node("Mul", {value, TRY(add_tensor(builder_, parts.name + ".scaling", *tensor))});
  } else if (config.scaling != 1) {
    value = builder_.node("Mul", {value, builder_.number(config.scaling)});
  }
  if (!config.use_gating) return value;
  // The mean over a text's tokens. The package counts padding too, which makes a text's vector depend on its
  // neighbours; alone, a text gets the same.
  const auto weight = builder_.node("Unsqueeze", {mask, builder_.integers({2})});
  const auto gates = builder_.node("Sigmoid", {TRY(linear(parts, "gate", bert_.hidden, 1, in))});
  const auto sum = [&](const Value& each) {
    return builder_.node("ReduceSum", {each, builder_.integers({1})}, {{"keepdims", std::int64_t{1}}});
  };
  const auto open = builder_.node("Div", {sum(builder_.node("Mul", {gates, weight})), sum(weight)});
  return builder_.node("Mul", {value, open});
}

Result<Value> AdapterGraph::linear(const Parts& parts, const std::string& part, std::int64_t in,
                                   std::int64_t out, const Value& value) {
  const auto* weight = TRY(parts.need(part + ".weight", {out, in}));
  const auto* bias = TRY(parts.need(part + ".bias", {out}));
  return add_linear(builder_, parts.name + "." + part, *weight, bias, value);
}

Result<void> AdapterGraph::expect_all_used() const {
  for (const auto& [name, tensor] : adapter_.tensors)
    if (!used_.contains(name))
      return fail(
          ErrorKind::Unsupported,
          fmt::format("the adapter's tensor '{}' has no place in the model; is it another model's adapter, "
                      "or another kind?",
                      name));
  return {};
}

}  // namespace alcove::models
