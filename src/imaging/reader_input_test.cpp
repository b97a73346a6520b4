#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "imaging/golden.h"
#include "imaging/testing.h"

namespace alcove::imaging {
namespace {

TEST(ReaderInput, EqualsTheOriginalsCrops) {
  const auto cases = golden_crops();
  ASSERT_GE(cases.size(), 10u);
  for (const auto& one : cases) {
    const Image page = decode_page(golden(one.page)).value().image;
    const auto input = reader_input(one.channel_swap ? swap_red_blue(page) : page, one.box, one.width);
    ASSERT_TRUE(input) << one.name;
    ASSERT_EQ(input->size(), one.expected.size()) << one.name;
    float worst = 0;
    for (std::size_t i = 0; i < input->size(); ++i)
      worst = std::max(worst, std::fabs((*input)[i] - one.expected[i]));
    // A grey off by one would be 2/255; with equal bytes only the last bit of the division may differ.
    EXPECT_LE(worst, 1e-6f) << one.name;
  }
}

TEST(ReaderInput, WidensByTenPixelsInsideThePage) {
  Image page = make_image(100, 60, 3, 255);
  // Black where the widened box reaches, so that anything read from beyond it is white.
  for (int y = 10; y < 40; ++y) std::fill_n(page.row(y) + 20 * 3, 40 * 3, std::uint8_t{0});
  const auto input = reader_input(page, {30.9f, 20.2f, 50.9f, 30.5f}, 128);
  ASSERT_TRUE(input);
  ASSERT_EQ(input->size(), 128u * 32);
  for (float value : *input) ASSERT_EQ(value, -1.0f);
}

TEST(ReaderInput, RefusesABoxOffThePage) {
  const Image page = make_image(100, 60, 3, 255);
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kFar = 1e30f;
  for (const Box& box :
       {Box{100, 0, 120, 20}, Box{-20, 0, 0, 20}, Box{10, 60, 30, 70}, Box{30, 10, 30, 20},
        Box{30, 20, 40, 10}, Box{kNan, 0, 20, 20}, Box{0, 0, kNan, 20}, Box{kFar, 0, kFar, 20}}) {
    const auto input = reader_input(page, box, 128);
    ASSERT_FALSE(input);
    EXPECT_EQ(input.error().code, "empty_box");
  }
}

TEST(ReaderInput, TakesABoxLargerThanThePage) {
  const auto input = reader_input(make_image(100, 60, 3, 255), {-1e30f, -1e30f, 1e30f, 1e30f}, 256);
  ASSERT_TRUE(input);
  EXPECT_EQ(input->front(), 1.0f);
}

}  // namespace
}  // namespace alcove::imaging
