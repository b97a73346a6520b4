#include "sheets/measures.h"

#include <gtest/gtest.h>

#include "imaging/straighten.h"

namespace alcove::sheets {
namespace {

// Strokes 3 pixels wide on paper.
imaging::Image strokes() {
  auto page = imaging::make_image(300, 60, 3, 240);
  for (int y = 0; y < page.height; ++y)
    for (int x = 10; x < 290; x += 20) std::fill_n(page.row(y) + x * 3, 9, 30);
  return page;
}

// Each pixel the mean of those up to `radius` beside it.
imaging::Image blurred(const imaging::Image& page, int radius) {
  auto soft = page;
  for (int y = 0; y < page.height; ++y)
    for (int x = radius; x + radius < page.width; ++x)
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        for (int i = -radius; i <= radius; ++i) sum += page.row(y)[(x + i) * 3 + c];
        soft.row(y)[x * 3 + c] = static_cast<std::uint8_t>(sum / (2 * radius + 1));
      }
  return soft;
}

constexpr Box kAll{0, 0, 300, 60};

TEST(Sharpness, FallsWithBlur) {
  const float sharp = sharpness_of(strokes(), kAll);
  EXPECT_GT(sharp, 0.6F);
  const float once = sharpness_of(blurred(strokes(), 2), kAll);
  const float twice = sharpness_of(blurred(blurred(strokes(), 4), 4), kAll);
  EXPECT_LT(once, 0.8F * sharp);
  EXPECT_LT(twice, 0.8F * once);
}

TEST(Sharpness, DoesNotDependOnTheInk) {
  auto pale = strokes();
  for (auto& pixel : pale.pixels) pixel = static_cast<std::uint8_t>(160 + pixel / 4);
  EXPECT_NEAR(sharpness_of(pale, kAll), sharpness_of(strokes(), kAll), 0.05F);
}

TEST(Sharpness, OfNothingIsNoComplaint) {
  EXPECT_EQ(sharpness_of(imaging::make_image(300, 60, 3, 240), kAll), 1);
  EXPECT_EQ(sharpness_of(strokes(), {50, 50, 50, 50}), 1);
  EXPECT_EQ(sharpness_of(strokes(), {-90, -90, -10, -10}), 1);
}

}  // namespace
}  // namespace alcove::sheets
