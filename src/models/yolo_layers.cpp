#include "models/yolo_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "models/initialisers.h"

namespace alcove::models {

using graph::Integers;

namespace {

constexpr int kMaxDepth = 16;
constexpr int kMaxApplied = 10'000;  // the largest published network has some 600
constexpr std::int64_t kMaxWindow = 64;
constexpr std::int64_t kMaxChannels = 1 << 20;

// Two values for height and width from an attribute that has one or two.
Integers pair_of(Integers values) {
  if (values.size() == 1) values.push_back(values.front());
  return values;
}

Integers twice(const Integers& pads) { return {pads[0], pads[1], pads[0], pads[1]}; }

}  // namespace

struct Layers::Row {
  std::string_view kind;
  Part part;
};

// By class name without its module, which releases moved about. The sub-classes among them (DWConv, C3k,
// C3k2) differ from their bases in how they are sized, which the tree already says.
const Layers::Row Layers::kRows[] = {
    {"Conv", &Layers::conv},
    {"DWConv", &Layers::conv},
    {"Conv2d", &Layers::conv2d},
    {"BatchNorm2d", &Layers::batch_norm},
    {"SiLU", &Layers::silu},
    {"ReLU", &Layers::relu},
    {"LeakyReLU", &Layers::leaky_relu},
    {"Identity", &Layers::identity},
    {"Sequential", &Layers::sequential},
    {"Bottleneck", &Layers::bottleneck},
    {"C2f", &Layers::c2f},
    {"C3k2", &Layers::c2f},
    {"C3", &Layers::c3},
    {"C3k", &Layers::c3},
    {"SPPF", &Layers::sppf},
    {"MaxPool2d", &Layers::max_pool},
    {"Upsample", &Layers::upsample},
    {"C2PSA", &Layers::c2psa},
    {"PSABlock", &Layers::psa_block},
    {"Attention", &Layers::attention},
};

Result<Feature> Layers::apply(const Module& module, std::span<const Feature> inputs) {
  if (module.origin() != "ultralytics" && module.origin() != "torch")
    return module.unsupported("is not one of Ultralytics' own; only its published networks are rebuilt");
  const auto scope = builder_.enter(module.path());
  if (depth_ == kMaxDepth || applied_++ == kMaxApplied)
    return module.damaged("lies in a tree that is too deep or too large");
  if (module.kind() == "Concat") {
    TRY(module.integer("d", 1, 1));  // of channels
    return concatenate(inputs);
  }
  const auto* row = std::ranges::find(kRows, module.kind(), &Row::kind);
  if (row == std::end(kRows))
    return module.unsupported(
        "is not known here; YOLOv8, YOLOv5u and YOLO11 detectors are, or export the model to ONNX");
  if (inputs.size() != 1) return module.damaged(fmt::format("takes {} inputs", inputs.size()));
  ++depth_;
  auto made = (this->*row->part)(module, inputs.front());
  --depth_;
  return made;
}

Result<Feature> Layers::part(const Module& module, std::string_view name, const Feature& in) {
  const auto child = TRY(module.child(name));
  return apply(child, in);
}

Result<graph::Value> Layers::weight(const Module& module, std::string_view name,
                                    std::span<const std::int64_t> shape) {
  const auto* tensor = TRY(module.tensor(name));
  const bool fits = std::ranges::equal(tensor->shape, shape, [](auto has, auto wanted) {
    return wanted < 0 ? has > 0 && has <= kMaxChannels : has == wanted;
  });
  if (!fits)
    return module.damaged(fmt::format("has '{}' of shape [{}] where [{}] is needed", name,
                                      fmt::join(tensor->shape, ", "), fmt::join(shape, ", ")));
  if (!name.starts_with("running_")) parameters_ += tensor->element_count();
  return add_tensor(builder_, module.name_of(name), *tensor);
}

Result<Feature> Layers::conv(const Module& module, const Feature& in) {
  auto out = TRY(part(module, "conv", in));
  // A fused checkpoint has its norm folded into the convolution.
  if (module.find_child("bn")) out = TRY(part(module, "bn", out));
  return part(module, "act", out);
}

Result<Feature> Layers::conv2d(const Module& module, const Feature& in) {
  const auto groups = TRY(module.integer("groups", 1, kMaxChannels));
  const auto strides = pair_of(TRY(module.integers("stride", 1, kMaxWindow, 2)));
  const auto padding = pair_of(TRY(module.integers("padding", 0, kMaxWindow, 2)));
  const auto dilations = pair_of(TRY(module.integers("dilation", 1, kMaxWindow, 2)));
  if (const auto* mode = weights::as<std::string>(module.attribute("padding_mode")); mode && *mode != "zeros")
    return module.unsupported(fmt::format("pads with '{}'; only zeros are known here", *mode));
  if (in.channels % groups != 0)
    return module.damaged(fmt::format("has {} groups for {} channels", groups, in.channels));
  const auto kernel = TRY(weight(module, "weight", Integers{-1, in.channels / groups, -1, -1}));
  const auto& shape = module.find_tensor("weight")->shape;
  const auto channels = shape[0];
  if (shape[2] > kMaxWindow || shape[3] > kMaxWindow || channels % groups != 0)
    return module.damaged(
        fmt::format("has a kernel of shape [{}] in {} groups", fmt::join(shape, ", "), groups));
  std::vector<graph::Value> inputs{in.value, kernel};
  if (module.find_tensor("bias")) inputs.push_back(TRY(weight(module, "bias", Integers{channels})));
  const auto out = builder_.node("Conv", inputs,
                                 {{"kernel_shape", Integers{shape[2], shape[3]}},
                                  {"strides", strides},
                                  {"pads", twice(padding)},
                                  {"dilations", dilations},
                                  {"group", groups}});
  return Feature{out, channels};
}

Result<Feature> Layers::batch_norm(const Module& module, const Feature& in) {
  const auto epsilon = static_cast<float>(TRY(module.number("eps")));
  if (!(epsilon > 0 && epsilon < 1)) return module.damaged(fmt::format("has an eps of {}", epsilon));
  const Integers shape{in.channels};
  std::vector<graph::Value> inputs{in.value};
  for (const auto* name : {"weight", "bias", "running_mean", "running_var"})
    inputs.push_back(TRY(weight(module, name, shape)));
  return Feature{builder_.node("BatchNormalization", inputs, {{"epsilon", epsilon}}), in.channels};
}

Result<Feature> Layers::silu(const Module&, const Feature& in) {
  const auto gate = builder_.node("Sigmoid", {in.value});
  return Feature{builder_.node("Mul", {in.value, gate}), in.channels};
}

Result<Feature> Layers::relu(const Module&, const Feature& in) {
  return Feature{builder_.node("Relu", {in.value}), in.channels};
}

Result<Feature> Layers::leaky_relu(const Module& module, const Feature& in) {
  const auto slope = static_cast<float>(TRY(module.number("negative_slope")));
  return Feature{builder_.node("LeakyRelu", {in.value}, {{"alpha", slope}}), in.channels};
}

Result<Feature> Layers::identity(const Module&, const Feature& in) { return in; }

Result<Feature> Layers::sequential(const Module& module, const Feature& in) {
  auto out = in;
  for (const auto& child : TRY(module.children())) out = TRY(apply(child, out));
  return out;
}

Result<Feature> Layers::add(const Module& module, const Feature& left, const Feature& right) {
  if (left.channels != right.channels)
    return module.damaged(fmt::format("adds {} channels to {}", left.channels, right.channels));
  return Feature{builder_.node("Add", {left.value, right.value}), left.channels};
}

Result<Feature> Layers::with_shortcut(const Module& module, const Feature& in, const Feature& out) {
  const bool shortcut = TRY(module.flag("add"));
  return shortcut ? add(module, in, out) : out;
}

Result<Feature> Layers::bottleneck(const Module& module, const Feature& in) {
  auto out = TRY(part(module, "cv1", in));
  out = TRY(part(module, "cv2", out));
  return with_shortcut(module, in, out);
}

Feature Layers::concatenate(std::span<const Feature> inputs) {
  std::vector<graph::Value> values;
  std::int64_t channels = 0;
  for (const auto& input : inputs) {
    values.push_back(input.value);
    channels += input.channels;
  }
  return {builder_.node("Concat", values, {{"axis", std::int64_t{1}}}), channels};
}

Result<std::vector<Feature>> Layers::halves(const Module& module, const Feature& in) {
  if (in.channels % 2 != 0) return module.damaged(fmt::format("halves {} channels", in.channels));
  const auto half = in.channels / 2;
  const auto values =
      builder_.nodes("Split", 2, {in.value, builder_.integers({half, half})}, {{"axis", std::int64_t{1}}});
  return std::vector<Feature>{{values[0], half}, {values[1], half}};
}

Result<Feature> Layers::c2f(const Module& module, const Feature& in) {
  const auto wide = TRY(part(module, "cv1", in));
  auto parts = TRY(halves(module, wide));
  const auto list = TRY(module.child("m"));
  for (const auto& block : TRY(list.children())) parts.push_back(TRY(apply(block, parts.back())));
  return part(module, "cv2", concatenate(parts));
}

Result<Feature> Layers::c3(const Module& module, const Feature& in) {
  auto deep = TRY(part(module, "cv1", in));
  deep = TRY(part(module, "m", deep));
  const auto flat = TRY(part(module, "cv2", in));
  return part(module, "cv3", concatenate(std::vector{deep, flat}));
}

Result<Feature> Layers::sppf(const Module& module, const Feature& in) {
  std::vector<Feature> parts{TRY(part(module, "cv1", in))};
  for (int i = 0; i < 3; ++i) parts.push_back(TRY(part(module, "m", parts.back())));
  return part(module, "cv2", concatenate(parts));
}

Result<Feature> Layers::max_pool(const Module& module, const Feature& in) {
  const auto window = pair_of(TRY(module.integers("kernel_size", 1, kMaxWindow, 2)));
  const auto strides = pair_of(TRY(module.integers("stride", 1, kMaxWindow, 2)));
  const auto padding = pair_of(TRY(module.integers("padding", 0, kMaxWindow / 2, 2)));
  TRY(module.integer("dilation", 1, 1));
  const auto out = builder_.node("MaxPool", {in.value},
                                 {{"kernel_shape", window}, {"strides", strides}, {"pads", twice(padding)}});
  return Feature{out, in.channels};
}

Result<Feature> Layers::upsample(const Module& module, const Feature& in) {
  const auto factor = TRY(module.number("scale_factor"));
  const auto* mode = weights::as<std::string>(module.attribute("mode"));
  if (mode == nullptr || *mode != "nearest" || factor != 2)
    return module.unsupported("enlarges in another way than to the nearest pixel by 2");
  const float scales[] = {1, 1, 2, 2};
  const auto out = builder_.node(
      "Resize", {in.value, {}, builder_.floats(scales, {4})},
      {{"mode", "nearest"}, {"nearest_mode", "floor"}, {"coordinate_transformation_mode", "asymmetric"}});
  return Feature{out, in.channels};
}

}  // namespace alcove::models
