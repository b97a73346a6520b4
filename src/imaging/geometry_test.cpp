#include <gtest/gtest.h>

#include "imaging/golden.h"
#include "imaging/testing.h"

namespace alcove::imaging {
namespace {

// 3 x 2 pixels, each with a number of its own: 1 2 3 / 4 5 6 in red, ten times that in green, 7 in blue.
Image numbered() {
  Image image = make_image(3, 2, 3);
  for (int i = 0; i < 6; ++i) {
    image.pixels[3 * i] = i + 1;
    image.pixels[3 * i + 1] = 10 * (i + 1);
    image.pixels[3 * i + 2] = 7;
  }
  return image;
}

std::vector<int> reds(const Image& image) {
  std::vector<int> found;
  for (std::size_t i = 0; i < image.pixels.size(); i += image.channels) found.push_back(image.pixels[i]);
  return found;
}

TEST(Turn, GoesClockwise) {
  const Image once = turn(numbered(), 1);
  EXPECT_EQ(once.width, 2);
  EXPECT_EQ(once.height, 3);
  EXPECT_EQ(reds(once), (std::vector{4, 1, 5, 2, 6, 3}));
  EXPECT_EQ(once.pixels[1], 40);
  EXPECT_EQ(once.pixels[2], 7);
  EXPECT_EQ(reds(turn(numbered(), 2)), (std::vector{6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(reds(turn(numbered(), 3)), (std::vector{3, 6, 2, 5, 1, 4}));
  EXPECT_EQ(reds(turn(numbered(), 0)), reds(numbered()));
}

TEST(Turn, CountsAnyNumberOfQuarters) {
  EXPECT_EQ(reds(turn(numbered(), -1)), reds(turn(numbered(), 3)));
  EXPECT_EQ(reds(turn(numbered(), 6)), reds(turn(numbered(), 2)));
}

TEST(Mirror, SwapsLeftAndRight) { EXPECT_EQ(reds(mirror(numbered())), (std::vector{3, 2, 1, 6, 5, 4})); }

TEST(Crop, IsClampedToTheImage) {
  const Image cut = crop(numbered(), 1, -5, 99, 1);
  EXPECT_EQ(cut.width, 2);
  EXPECT_EQ(cut.height, 1);
  EXPECT_EQ(reds(cut), (std::vector{2, 3}));
}

TEST(ToGrey, WeighsAsPillow) {
  Image image = make_image(4, 1, 3);
  image.pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255, 12, 200, 99};
  EXPECT_EQ(to_grey(image).pixels, (Pixels{76, 150, 29, 132}));
  EXPECT_EQ(to_grey(to_grey(image)).pixels, to_grey(image).pixels);
}

TEST(SwapRedBlue, LeavesGreenAndGrey) {
  const Image swapped = swap_red_blue(numbered());
  EXPECT_EQ(swapped.pixels[0], 7);
  EXPECT_EQ(swapped.pixels[1], 10);
  EXPECT_EQ(swapped.pixels[2], 1);
  EXPECT_EQ(swap_red_blue(to_grey(numbered())).pixels, to_grey(numbered()).pixels);
}

TEST(ToPlanes, SeparatesColours) {
  const auto planes = to_planes(numbered());
  ASSERT_EQ(planes.size(), 18u);
  EXPECT_FLOAT_EQ(planes[0], 1 / 255.0f);
  EXPECT_FLOAT_EQ(planes[5], 6 / 255.0f);
  EXPECT_FLOAT_EQ(planes[6], 10 / 255.0f);
  EXPECT_FLOAT_EQ(planes[17], 7 / 255.0f);
}

TEST(ToPlanes, RepeatsGrey) {
  Image grey = make_image(2, 1, 1);
  grey.pixels = {0, 255};
  EXPECT_EQ(to_planes(grey), (std::vector<float>{0, 1, 0, 1, 0, 1}));
}

TEST(Letterbox, PadsAnA4PageToTheSmallestMultipleOfTheStride) {
  const auto boxed = letterbox(make_image(1654, 2339, 3, 200));
  EXPECT_EQ(boxed.image.width, 480);
  EXPECT_EQ(boxed.image.height, 640);
  EXPECT_EQ(boxed.left, 13);  // 27 in all: the odd one goes to the right
  EXPECT_EQ(boxed.top, 0);
  EXPECT_DOUBLE_EQ(boxed.scale, 640.0 / 2339);
  EXPECT_EQ(boxed.image.row(320)[12 * 3], 114);
  EXPECT_EQ(boxed.image.row(320)[13 * 3], 200);
  EXPECT_EQ(boxed.image.row(320)[465 * 3], 200);
  EXPECT_EQ(boxed.image.row(320)[466 * 3], 114);
}

TEST(Letterbox, LeavesAPageOfTheRightSizeAsItIs) {
  const auto boxed = letterbox(make_image(640, 480, 3, 9));
  EXPECT_EQ(boxed.image.pixels, make_image(640, 480, 3, 9).pixels);
}

TEST(Letterbox, KeepsAtLeastOnePixelOfAStrip) {
  const auto boxed = letterbox(make_image(5000, 1, 3, 9));
  EXPECT_EQ(boxed.image.width, 640);
  EXPECT_EQ(boxed.image.height, 32);
  EXPECT_EQ(boxed.image.row(boxed.top)[0], 9);
}

TEST(Letterbox, EqualsUltralytics) {
  const auto cases = golden_letterboxes();
  ASSERT_GE(cases.size(), 5u);
  for (const auto& [source, expected] : cases) {
    const auto page = decode_page(golden(source)), wanted = decode_page(golden(expected));
    ASSERT_TRUE(page && wanted);
    const Image boxed = letterbox(page->image).image;
    EXPECT_EQ(boxed.width, wanted->image.width) << source;
    EXPECT_EQ(boxed.height, wanted->image.height) << source;
    EXPECT_TRUE(boxed.pixels == wanted->image.pixels) << source;
  }
}

TEST(ToPage, UndoesTheLetterbox) {
  const Image page = make_image(1000, 500, 3);
  const auto boxed = letterbox(page);  // scale 0.64, 320 rows, no padding
  const Box box = to_page({64, 32, 320, 160}, boxed, page);
  EXPECT_FLOAT_EQ(box.left, 100);
  EXPECT_FLOAT_EQ(box.top, 50);
  EXPECT_FLOAT_EQ(box.right, 500);
  EXPECT_FLOAT_EQ(box.bottom, 250);
}

TEST(ToPage, ClampsToThePage) {
  const Image page = make_image(1000, 500, 3);
  const Box box = to_page({-50, -1, 700, 321}, letterbox(page), page);
  EXPECT_EQ(box.left, 0);
  EXPECT_EQ(box.top, 0);
  EXPECT_EQ(box.right, 1000);
  EXPECT_EQ(box.bottom, 500);
}

// 13 columns are drawn, but scale_boxes of Ultralytics 8.3 takes 14 off: round((480 - 1654 * 640 / 2339) / 2
// - 0.1).
TEST(ToPage, TakesPaddingAnewAsTheOriginal) {
  const Image page = make_image(1654, 2339, 3);
  const Box box = to_page({114, 64, 214, 128}, letterbox(page), page);
  EXPECT_NEAR(box.left, 100 * 2339 / 640.0, 1e-3);
  EXPECT_NEAR(box.top, 64 * 2339 / 640.0, 1e-3);
  EXPECT_NEAR(box.right, 200 * 2339 / 640.0, 1e-3);
}

}  // namespace
}  // namespace alcove::imaging
