#include "imaging/straighten.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace alcove::imaging {
namespace {

// What lies off the page is left out.
void fill(Image& page, int left, int top, int right, int bottom, std::uint8_t grey) {
  right = std::min(right, page.width);
  for (int y = top; y < std::min(bottom, page.height) && left < right; ++y)
    std::fill_n(page.row(y) + static_cast<std::size_t>(left) * page.channels,
                static_cast<std::size_t>(right - left) * page.channels, grey);
}

// Ruled lines, two boxes and lines of something like words.
Image form(int width = 1240, int height = 1754) {
  Image page = make_image(width, height, 3, 245);
  std::mt19937 random(3);
  for (int y = height / 2; y < height - 150; y += 60) fill(page, 120, y, width - 120, y + 2, 60);
  for (const int y : {300, 420}) {
    fill(page, 400, y, 1000, y + 60, 40);
    fill(page, 403, y + 3, 997, y + 57, 245);
  }
  for (int y = 120; y < 260; y += 34)
    for (int x = 130; x < width - 200; x += 20 + static_cast<int>(random() % 20))
      fill(page, x, y, x + 12, y + 16, 70);
  return page;
}

TEST(FindSkew, OfALevelPageIsNothing) { EXPECT_NEAR(find_skew(form()), 0, 0.11); }

TEST(FindSkew, IsWhatTheTurnTookAway) {
  for (const double degrees : {-10.0, -6.3, -2.0, -1.2, 1.0, 3.7, 8.0, 10.0})
    EXPECT_NEAR(find_skew(rotate(form(), degrees)), -degrees, 0.25) << degrees;
}

TEST(FindSkew, NeedsLinesToGoBy) {
  EXPECT_EQ(find_skew(make_image(800, 1000, 3, 250)), 0);
  EXPECT_EQ(find_skew(make_image(1, 1, 1, 0)), 0);
  Image noise = make_image(700, 900, 1);
  std::mt19937 random(1);
  for (auto& pixel : noise.pixels) pixel = static_cast<std::uint8_t>(random());
  EXPECT_EQ(find_skew(noise), 0);
}

TEST(Rotate, ByNothingChangesNothing) {
  const auto page = form(300, 400);
  const auto same = rotate(page, 0);
  EXPECT_EQ(same.width, 300);
  EXPECT_EQ(same.pixels, page.pixels);
}

TEST(Rotate, GoesClockwiseAndKeepsTheWholePage) {
  Image page = make_image(201, 101, 1, 255);
  fill(page, 190, 45, 201, 56, 0);  // black at the right edge, half-way down
  const auto turned = rotate(page, 30);
  EXPECT_EQ(turned.width, static_cast<int>(std::ceil(201 * std::cos(M_PI / 6) + 101 * 0.5)));
  EXPECT_EQ(turned.height, static_cast<int>(std::ceil(201 * 0.5 + 101 * std::cos(M_PI / 6))));
  // 95 pixels right of the middle, turned by 30 degrees: 82 right, 47 down.
  EXPECT_LT(turned.row(turned.height / 2 + 47)[turned.width / 2 + 82], 40);
  EXPECT_EQ(turned.row(turned.height / 2 - 47)[turned.width / 2 + 82], 255);
  EXPECT_EQ(turned.row(0)[0], 255) << "white around it";
}

TEST(Rotate, TakesThePagesOfOnePixel) {
  EXPECT_EQ(rotate(make_image(1, 1, 3, 7), 5).channels, 3);
  EXPECT_GE(rotate(make_image(1, 500, 3, 7), 5).height, 498);
}

TEST(ShrunkTo, OnlyEverShrinks) {
  EXPECT_EQ(shrunk_to(form(300, 400), 640).height, 400);
  const auto small = shrunk_to(form(1240, 1754), 640);
  EXPECT_EQ(small.height, 640);
  EXPECT_EQ(small.width, 452);
  EXPECT_EQ(shrunk_to(make_image(1, 30'000, 1), 640).width, 1);
}

}  // namespace
}  // namespace alcove::imaging
