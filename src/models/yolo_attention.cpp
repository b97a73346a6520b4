// The attention blocks of YOLO11.

#include <fmt/format.h>

#include "models/yolo_layers.h"

namespace alcove::models {

using graph::Integers;

namespace {

constexpr std::int64_t kMaxHeads = 4096;
constexpr std::int64_t kMaxHeadChannels = 1 << 20;

}  // namespace

Result<Feature> Layers::c2psa(const Module& module, const Feature& in) {
  const auto wide = TRY(part(module, "cv1", in));
  auto parts = TRY(halves(module, wide));
  parts[1] = TRY(part(module, "m", parts[1]));
  return part(module, "cv2", concatenate(parts));
}

Result<Feature> Layers::psa_block(const Module& module, const Feature& in) {
  auto out = TRY(part(module, "attn", in));
  out = TRY(with_shortcut(module, in, out));
  const auto fed = TRY(part(module, "ffn", out));
  return with_shortcut(module, out, fed);
}

// Every pixel looks at every other: softmax(qᵀk · scale) weighs v, to which a convolution of v adds the
// place.
Result<Feature> Layers::attention(const Module& module, const Feature& in) {
  const auto heads = TRY(module.integer("num_heads", 1, kMaxHeads));
  const auto head = TRY(module.integer("head_dim", 1, kMaxHeadChannels));
  const auto key = TRY(module.integer("key_dim", 1, kMaxHeadChannels));
  const auto scale = static_cast<float>(TRY(module.number("scale")));
  const auto mixed = TRY(part(module, "qkv", in));
  if (in.channels != heads * head || mixed.channels != heads * (2 * key + head))
    return module.damaged(fmt::format("splits {} channels into {} heads", mixed.channels, heads));

  const auto rows =
      builder_.node("Reshape", {mixed.value, builder_.integers({0, heads, 2 * key + head, -1})});
  const auto qkv =
      builder_.nodes("Split", 3, {rows, builder_.integers({key, key, head})}, {{"axis", std::int64_t{2}}});
  const auto queries = builder_.node("Transpose", {qkv[0]}, {{"perm", Integers{0, 1, 3, 2}}});
  const auto likeness =
      builder_.node("Mul", {builder_.node("MatMul", {queries, qkv[1]}), builder_.number(scale)});
  const auto shares = builder_.node("Softmax", {likeness}, {{"axis", std::int64_t{-1}}});
  const auto seen = builder_.node(
      "MatMul", {qkv[2], builder_.node("Transpose", {shares}, {{"perm", Integers{0, 1, 3, 2}}})});

  const auto map_shape = builder_.node("Shape", {in.value});
  const Feature values{builder_.node("Reshape", {qkv[2], map_shape}), in.channels};
  const Feature mixed_values{builder_.node("Reshape", {seen, map_shape}), in.channels};
  const auto places = TRY(part(module, "pe", values));
  const auto sum = TRY(add(module, mixed_values, places));
  return part(module, "proj", sum);
}

}  // namespace alcove::models
