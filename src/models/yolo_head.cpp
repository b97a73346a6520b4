#include "models/yolo_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace alcove::models {

using graph::Builder;
using graph::Integers;
using graph::Value;

namespace {

constexpr std::int64_t kMaxClasses = 10'000;
constexpr std::int64_t kMaxBins = 64;  // of a side's distance; published models have 16
constexpr std::size_t kMaxMaps = 8;

struct OtherHead {
  std::string_view kind;
  std::string_view task;
};
constexpr OtherHead kOtherHeads[] = {
    {"Segment", "segmentation"},
    {"Segment26", "segmentation"},
    {"YOLOESegment", "segmentation"},
    {"Pose", "pose"},
    {"Pose26", "pose"},
    {"OBB", "oriented boxes"},
    {"OBB26", "oriented boxes"},
    {"Classify", "classification"},
    {"RTDETRDecoder", "RT-DETR detection"},
    {"v10Detect", "end-to-end detection"},
    {"WorldDetect", "open-vocabulary detection"},
    {"YOLOEDetect", "open-vocabulary detection"},
};

Value concat(Builder& builder, const std::vector<Value>& values, std::int64_t axis, std::string name = {}) {
  return builder.node("Concat", values, {{"axis", axis}}, std::move(name));
}

// 0, 1, … as many as the map's `axis` has, plus a half: the middles of its cells.
Value cell_middles(Builder& builder, const Value& map, std::int64_t axis) {
  const auto size = builder.node("Shape", {map}, {{"start", axis}, {"end", axis + 1}});
  const auto count = builder.node("Squeeze", {builder.node("Cast", {size}, {{"to", std::int64_t{1}}})});
  const auto steps = builder.node("Range", {builder.number(0), count, builder.number(1)});
  return builder.node("Add", {steps, builder.number(0.5F)});
}

struct Grid {
  Value centres;  // [1, 2, cells]: x, y in cells
  Value strides;  // [1, 1, cells]
};

// Follows the map's own height and width, so that any multiple of the stride works; constant once those are
// fixed.
Grid grid_of(Builder& builder, const Value& map, float stride) {
  const auto size = builder.node("Shape", {map}, {{"start", std::int64_t{2}}, {"end", std::int64_t{4}}});
  const auto along = cell_middles(builder, map, 3);
  const auto down = builder.node("Unsqueeze", {cell_middles(builder, map, 2), builder.integers({1})});
  const auto flat = builder.integers({1, 1, -1});
  const auto x = builder.node("Reshape", {builder.node("Expand", {along, size}), flat});
  const auto y = builder.node("Reshape", {builder.node("Expand", {down, size}), flat});
  const auto strides =
      builder.node("Reshape", {builder.node("Expand", {builder.number(stride), size}), flat});
  return {concat(builder, {x, y}, 1), strides};
}

// [N, 4 · bins, anchors] to [N, 4, anchors]: each side's distance is the mean of its bins, weighed by their
// softmax. A sum rather than the convolution it is in the original: an engine that computes in bf16 keeps
// what follows the last convolution in f32, and a coordinate needs more than bf16's eight bits.
Result<Value> distances_of(Layers& layers, const Module& module, const Value& sides, std::int64_t bins) {
  if (bins == 1) return sides;
  auto& builder = layers.builder();
  const auto expectation = TRY(module.child("dfl"));
  const auto conv = TRY(expectation.child("conv"));
  const auto weights = TRY(layers.weight(conv, "weight", Integers{1, bins, 1, 1}));
  const auto split = builder.node("Reshape", {sides, builder.integers({0, 4, bins, -1})});
  const auto first = builder.node("Transpose", {split}, {{"perm", Integers{0, 2, 1, 3}}});
  const auto shares = builder.node("Softmax", {first}, {{"axis", std::int64_t{1}}});
  return builder.node("ReduceSum", {builder.node("Mul", {shares, weights}), builder.integers({1})},
                      {{"keepdims", std::int64_t{0}}});
}

// Distances to left, top, right, bottom around the cells' middles, to centre and size in input pixels.
Value boxes_of(Builder& builder, const Value& distances, const Grid& grid) {
  const auto sides =
      builder.nodes("Split", 2, {distances, builder.integers({2, 2})}, {{"axis", std::int64_t{1}}});
  const auto near = builder.node("Sub", {grid.centres, sides[0]});
  const auto far = builder.node("Add", {grid.centres, sides[1]});
  const auto middle = builder.node("Mul", {builder.node("Add", {near, far}), builder.number(0.5F)});
  const auto size = builder.node("Sub", {far, near});
  return builder.node("Mul", {concat(builder, {middle, size}, 1), grid.strides});
}

}  // namespace

Result<DetectHead> read_head(const Module& module) {
  const auto* other = std::ranges::find(kOtherHeads, module.kind(), &OtherHead::kind);
  if (other != std::end(kOtherHeads))
    return fail(
        ErrorKind::Unsupported,
        fmt::format(
            "this is a model for {} (head {}); Alcove runs detection models, train one with task=detect",
            other->task, module.kind()));
  if (module.origin() == "models")
    return module.unsupported(
        "comes from the older YOLOv5 repository; train a YOLOv5u with Ultralytics, or export it to ONNX");
  if (module.kind() != "Detect" || module.origin() != "ultralytics")
    return module.unsupported("ends the network where Ultralytics' Detect is expected");
  if (module.find_child("one2one_cv2"))
    return module.unsupported("is end-to-end (NMS-free); export a YOLOv8, YOLOv5u or YOLO11 detector");
  DetectHead head{.classes = TRY(module.integer("nc", 1, kMaxClasses))};
  const auto maps = static_cast<std::size_t>(TRY(module.integer("nl", 1, kMaxMaps)));
  const auto* strides = weights::as<weights::Tensor>(module.attribute("stride"));
  if (strides == nullptr || strides->shape != Integers{static_cast<std::int64_t>(maps)})
    return module.damaged(fmt::format("has no strides for its {} feature maps", maps));
  head.strides = TRY(weights::to_floats(*strides));
  for (const auto stride : head.strides)
    if (!(stride >= 1 && stride <= 256) || stride != std::floor(stride))
      return module.damaged(fmt::format("has a stride of {}", stride));
  return head;
}

Result<void> add_head(Layers& layers, const Module& module, const DetectHead& head,
                      const std::vector<Feature>& maps) {
  auto& builder = layers.builder();
  const auto scope = builder.enter(module.path());
  if (maps.size() != head.strides.size())
    return module.damaged(
        fmt::format("takes {} feature maps and has {} strides", maps.size(), head.strides.size()));
  const auto bins = TRY(module.integer("reg_max", 1, kMaxBins));
  const auto box_list = TRY(module.child("cv2"));
  const auto class_list = TRY(module.child("cv3"));
  const auto box_branches = TRY(box_list.children());
  const auto class_branches = TRY(class_list.children());
  if (box_branches.size() != maps.size() || class_branches.size() != maps.size())
    return module.damaged("has not one pair of branches for each feature map");

  std::vector<Value> sides, scores, centres, strides;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const auto box = TRY(layers.apply(box_branches[i], maps[i]));
    const auto score = TRY(layers.apply(class_branches[i], maps[i]));
    if (box.channels != 4 * bins || score.channels != head.classes)
      return module.damaged(fmt::format("gives {} and {} channels where {} and {} are needed", box.channels,
                                        score.channels, 4 * bins, head.classes));
    sides.push_back(builder.node("Reshape", {box.value, builder.integers({0, box.channels, -1})}));
    scores.push_back(builder.node("Reshape", {score.value, builder.integers({0, score.channels, -1})}));
    const auto grid = grid_of(builder, maps[i].value, head.strides[i]);
    centres.push_back(grid.centres);
    strides.push_back(grid.strides);
  }
  const auto distances = TRY(distances_of(layers, module, concat(builder, sides, 2), bins));
  const auto boxes = boxes_of(builder, distances, {concat(builder, centres, 2), concat(builder, strides, 2)});
  const auto confidences = builder.node("Sigmoid", {concat(builder, scores, 2)});
  concat(builder, {boxes, confidences}, 1, "output0");
  return {};
}

}  // namespace alcove::models
