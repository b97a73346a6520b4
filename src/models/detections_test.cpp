#include <gtest/gtest.h>

#include "models/yolo.h"

namespace alcove::models {
namespace {

struct Anchor {
  float x, y, width, height;
  std::vector<float> scores;
};

// As the network gives it: a row of all centres' x, a row of y, … then a row per class.
std::vector<float> output_of(const std::vector<Anchor>& anchors) {
  std::vector<float> output;
  for (const auto field : {&Anchor::x, &Anchor::y, &Anchor::width, &Anchor::height})
    for (const auto& anchor : anchors) output.push_back(anchor.*field);
  for (std::size_t label = 0; label < anchors.front().scores.size(); ++label)
    for (const auto& anchor : anchors) output.push_back(anchor.scores[label]);
  return output;
}

std::vector<Detection> read(const std::vector<Anchor>& anchors, const DetectLimits& limits = {}) {
  return read_detections(output_of(anchors), static_cast<int>(anchors.front().scores.size()), limits);
}

TEST(ReadDetections, GivesCornersBestClassAndConfidence) {
  const auto found = read({{100, 50, 40, 20, {0.3F, 0.9F}}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label, 1);
  EXPECT_FLOAT_EQ(found[0].confidence, 0.9F);
  EXPECT_FLOAT_EQ(found[0].box.left, 80);
  EXPECT_FLOAT_EQ(found[0].box.top, 40);
  EXPECT_FLOAT_EQ(found[0].box.right, 120);
  EXPECT_FLOAT_EQ(found[0].box.bottom, 60);
}

TEST(ReadDetections, KeepsOnlyWhatIsStrictlyAboveTheThreshold) {
  EXPECT_TRUE(read({{10, 10, 5, 5, {0.25F}}}).empty());
  EXPECT_EQ(read({{10, 10, 5, 5, {0.2500001F}}}).size(), 1U);
}

TEST(ReadDetections, TheFirstOfEqualClassesWins) {
  EXPECT_EQ(read({{10, 10, 5, 5, {0.5F, 0.8F, 0.8F}}})[0].label, 1);
}

TEST(ReadDetections, OrdersByConfidenceAndTiesByAnchor) {
  const auto found =
      read({{10, 0, 4, 4, {0.5F}}, {20, 0, 4, 4, {0.9F}}, {30, 0, 4, 4, {0.5F}}, {40, 0, 4, 4, {0.7F}}});
  ASSERT_EQ(found.size(), 4U);
  EXPECT_FLOAT_EQ(found[0].box.left, 18);
  EXPECT_FLOAT_EQ(found[1].box.left, 38);
  EXPECT_FLOAT_EQ(found[2].box.left, 8);
  EXPECT_FLOAT_EQ(found[3].box.left, 28);
}

TEST(ReadDetections, SuppressesTheWeakerOfTwoThatOverlapByMore) {
  // 10 wide, moved by d: IoU = (10 − d) / (10 + d), 0.7 at d = 1.7647.
  EXPECT_EQ(read({{50, 50, 10, 10, {0.6F}}, {51.76F, 50, 10, 10, {0.8F}}}).size(), 1U);
  EXPECT_FLOAT_EQ(read({{50, 50, 10, 10, {0.6F}}, {51.76F, 50, 10, 10, {0.8F}}})[0].confidence, 0.8F);
  EXPECT_EQ(read({{50, 50, 10, 10, {0.6F}}, {51.77F, 50, 10, 10, {0.8F}}}).size(), 2U);
}

TEST(ReadDetections, AnOverlapEqualToTheLimitStays) {
  // Half of the larger box: IoU is exactly 0.5.
  const std::vector<Anchor> anchors{{8, 8, 16, 16, {0.9F}}, {4, 8, 8, 16, {0.8F}}};
  EXPECT_EQ(read(anchors, {.iou = 0.5F}).size(), 2U);
  EXPECT_EQ(read(anchors, {.iou = 0.4999F}).size(), 1U);
}

TEST(ReadDetections, ClassesDoNotSuppressEachOther) {
  EXPECT_EQ(read({{50, 50, 10, 10, {0.6F, 0}}, {50, 50, 10, 10, {0, 0.8F}}}).size(), 2U);
}

TEST(ReadDetections, WhatIsSuppressedSuppressesNothing) {
  // A chain: the second overlaps the first, the third only the second.
  const auto found = read({{50, 50, 10, 10, {0.9F}}, {51.5F, 50, 10, 10, {0.8F}}, {53, 50, 10, 10, {0.7F}}});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_FLOAT_EQ(found[1].confidence, 0.7F);
}

TEST(ReadDetections, GivesNoMoreBoxesThanAsked) {
  std::vector<Anchor> anchors;
  for (int i = 0; i < 400; ++i)
    anchors.push_back({20.0F * static_cast<float>(i), 0, 4, 4, {0.3F + 0.001F * static_cast<float>(i)}});
  EXPECT_EQ(read(anchors).size(), 300U);
  EXPECT_FLOAT_EQ(read(anchors)[0].confidence, 0.699F);
  EXPECT_EQ(read(anchors, {.boxes = 7}).size(), 7U);
}

TEST(ReadDetections, NothingFoundIsNothingGiven) {
  EXPECT_TRUE(read({{10, 10, 5, 5, {0}}}).empty());
  EXPECT_TRUE(read_detections({}, 2).empty());
}

TEST(ReadDetections, NumbersThatAreNoneAreNoDetections) {
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(read({{10, 10, 5, 5, {nan}}}).empty());
  EXPECT_EQ(read({{nan, 10, 5, 5, {0.5F}}, {10, 10, 5, 5, {0.5F}}}).size(), 1U);
  const auto infinite = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(read({{10, 10, 5, 5, {infinite}}, {10, 10, infinite, 5, {0.5F}}}).empty());
}

}  // namespace
}  // namespace alcove::models
