// Ultralytics' suppression, as its `predict` calls it: best class per anchor, then greedily by confidence.

#include <algorithm>
#include <cassert>
#include <cmath>

#include "models/yolo.h"

namespace alcove::models {
namespace {

constexpr std::size_t kMostCandidates = 30'000;  // Ultralytics' max_nms
// Ultralytics' max_wh: boxes of different classes are moved apart by this much, so that they cannot overlap.
constexpr float kClassOffset = 7680;

struct Candidate {
  Detection detection;
  Box moved;  // the box with its class's offset: what overlaps are measured on, with the offset's rounding
  float area = 0;
};

Candidate candidate_at(std::span<const float> output, std::size_t anchors, std::size_t anchor) {
  const auto x = output[anchor], y = output[anchors + anchor];
  const auto half_width = output[2 * anchors + anchor] / 2, half_height = output[3 * anchors + anchor] / 2;
  Candidate candidate;
  candidate.detection.box = {x - half_width, y - half_height, x + half_width, y + half_height};
  return candidate;
}

void set_class(Candidate& candidate, int label, float confidence) {
  auto& [box, own_confidence, own_label] = candidate.detection;
  own_confidence = confidence;
  own_label = label;
  const auto offset = static_cast<float>(label) * kClassOffset;
  candidate.moved = {box.left + offset, box.top + offset, box.right + offset, box.bottom + offset};
  candidate.area = candidate.moved.width() * candidate.moved.height();
}

std::vector<Candidate> candidates_of(std::span<const float> output, std::size_t classes, float threshold) {
  const auto anchors = output.size() / (4 + classes);
  std::vector<Candidate> candidates;
  for (std::size_t anchor = 0; anchor < anchors; ++anchor) {
    std::size_t best = 0;
    const auto score = [&](std::size_t label) { return output[(4 + label) * anchors + anchor]; };
    for (std::size_t label = 1; label < classes; ++label)
      if (score(label) > score(best)) best = label;
    if (!(score(best) > threshold)) continue;
    auto candidate = candidate_at(output, anchors, anchor);
    const auto& box = candidate.detection.box;
    // A network in trouble answers with NaN and infinities, which are neither places nor shares.
    if (!std::isfinite(box.left + box.top + box.right + box.bottom + score(best))) continue;
    candidates.push_back(candidate);
    set_class(candidates.back(), static_cast<int>(best), score(best));
  }
  return candidates;
}

bool overlaps(const Candidate& strong, const Candidate& weak, float limit) {
  const auto common = common_area(strong.moved, weak.moved);
  return common / (strong.area + weak.area - common) > limit;
}

}  // namespace

std::vector<Detection> read_detections(std::span<const float> output, int classes,
                                       const DetectLimits& limits) {
  assert(classes > 0 && output.size() % static_cast<std::size_t>(4 + classes) == 0);
  auto candidates = candidates_of(output, static_cast<std::size_t>(classes), limits.confidence);
  std::ranges::stable_sort(candidates, std::greater{},
                           [](const auto& each) { return each.detection.confidence; });
  candidates.resize(std::min(candidates.size(), kMostCandidates));

  std::vector<Candidate> kept;
  for (const auto& candidate : candidates) {
    if (kept.size() == static_cast<std::size_t>(std::max(0, limits.boxes))) break;
    const bool suppressed = std::ranges::any_of(
        kept, [&](const auto& strong) { return overlaps(strong, candidate, limits.iou); });
    if (!suppressed) kept.push_back(candidate);
  }
  std::vector<Detection> detections;
  for (const auto& each : kept) detections.push_back(each.detection);
  return detections;
}

}  // namespace alcove::models
