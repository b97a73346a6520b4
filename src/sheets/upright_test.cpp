#include "sheets/upright.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "imaging/straighten.h"
#include "sheets/testing.h"

namespace alcove::sheets {
namespace {

using imaging::Image;

// A tall page with ruled lines and a black block at the top left, by which the fake reader tells how it is
// held.
Image page_with_mark(int width = 620, int height = 877) {
  Image page = imaging::make_image(width, height, 3, 250);
  const auto fill = [&](int left, int top, int right, int bottom, std::uint8_t grey) {
    for (int y = top; y < bottom; ++y) std::fill_n(page.row(y) + left * 3, (right - left) * 3, grey);
  };
  fill(width / 20, height / 20, width / 4, height / 8, 0);
  for (int y = height / 3; y < height - 60; y += 40) fill(60, y, width - 60, y + 2, 60);
  return page;
}

bool is_black(const Image& page, double across, double down) {
  return page.row(static_cast<int>(down * page.height))[static_cast<int>(across * page.width) * 3] < 60;
}

SheetReading read_when_mark_is_top_left(const Image& page) {
  return page.height > page.width && is_black(page, 0.15, 0.09) ? both() : SheetReading{};
}

TEST(ReadUpright, ReadsALevelPageOnce) {
  FakeReader reader(read_when_mark_is_top_left);
  const auto reading = read_upright(reader, page_with_mark());
  ASSERT_TRUE(reading);
  EXPECT_EQ(reader.asked, 1) << "an ordinary page pays nothing";
  EXPECT_EQ(reading->orientation, 0);
  EXPECT_EQ(reading->skew, 0);
}

TEST(ReadUpright, TurnsAPageThatLiesOnItsSideOrHead) {
  for (const int turns : {1, 2, 3}) {
    FakeReader reader(read_when_mark_is_top_left);
    const auto reading = read_upright(reader, imaging::turn(page_with_mark(), turns));
    ASSERT_TRUE(reading);
    EXPECT_EQ(reading->orientation, (4 - turns) * 90) << turns;
    EXPECT_EQ(reading->register_number.best_candidate()->value, "212223060100");
    EXPECT_EQ(reading->width, 620) << "in the upright page's pixels";
    EXPECT_EQ(reading->height, 877);
  }
}

TEST(ReadUpright, TriesOnASmallCopyAndReadsTheWholePage) {
  const auto page = imaging::turn(page_with_mark(2480, 3508), 2);
  std::vector<int> heights;
  FakeReader reader([&](const Image& held) {
    heights.push_back(std::max(held.width, held.height));
    return read_when_mark_is_top_left(held);
  });
  const auto reading = read_upright(reader, page);
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->orientation, 180);
  EXPECT_EQ(heights, (std::vector{3508, 1280, 1280, 1280, 3508}));
  EXPECT_EQ(reading->height, 3508);
}

TEST(ReadUpright, LevelsAPageThatLiesAskew) {
  FakeReader reader(
      [](const Image& page) { return std::abs(imaging::find_skew(page)) < 0.5 ? both() : both(0.3F); });
  const auto reading = read_upright(reader, imaging::rotate(page_with_mark(), 7));
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->orientation, 0);
  EXPECT_NEAR(reading->skew, -7, 0.3);
  EXPECT_GT(reading->confidence().value_or(0), 0.9);
}

TEST(ReadUpright, LevelsBeforeItReads) {
  FakeReader reader(
      [](const Image& page) { return std::abs(imaging::find_skew(page)) < 0.5 ? both() : both(0.3F); });
  ASSERT_TRUE(read_upright(reader, imaging::rotate(page_with_mark(), -4)));
  EXPECT_EQ(reader.asked, 1);
}

TEST(ReadUpright, DoesNotLevelWhenThePageReadsBetterAsItStands) {
  const auto page = imaging::rotate(page_with_mark(), 5);
  FakeReader reader(
      [](const Image& held) { return std::abs(imaging::find_skew(held)) > 4 ? both() : SheetReading{}; });
  const auto reading = read_upright(reader, page);
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->skew, 0);
  EXPECT_EQ(reading->orientation, 0);
  EXPECT_EQ(reading->width, page.width);
}

TEST(ReadUpright, LeavesAPageAloneOnWhichNothingIsFoundAnyWay) {
  FakeReader reader([](const Image&) { return SheetReading{}; });
  const auto reading = read_upright(reader, page_with_mark());
  ASSERT_TRUE(reading);
  EXPECT_EQ(reader.asked, 4) << "as it stands, and three turns";
  EXPECT_EQ(reading->orientation, 0);
  EXPECT_EQ(reading->height, 877);
}

TEST(ReadUpright, ASurerReadingWinsOverABoxFoundByChance) {
  // On its head the page shows one weak box; upright, both.
  FakeReader reader([](const Image& page) {
    if (is_black(page, 0.15, 0.09)) return both(0.9F);
    SheetReading weak;
    weak.register_number = field({candidate("1", 0.4F, 0.3F)});
    return weak;
  });
  const auto reading = read_upright(reader, imaging::turn(page_with_mark(), 2));
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->orientation, 180);
}

TEST(ReadUpright, AddsUpTheTimeOfEveryTry) {
  FakeReader reader(read_when_mark_is_top_left);
  const auto reading = read_upright(reader, imaging::turn(page_with_mark(), 2));
  ASSERT_TRUE(reading);
  const auto time = [&](std::string_view name) {
    const auto found = std::ranges::find(reading->timings, name, &Stage::name);
    return found == reading->timings.end() ? -1 : found->milliseconds;
  };
  EXPECT_EQ(time("detect"), 20) << "as it stood, and as it was read in the end";
  EXPECT_EQ(reading->timings.front().name, "orient") << "in the order in which it is done";
  EXPECT_GE(time("orient"), 0)
      << "measuring the skew and looking for the other ways, but not what is counted above";
}

TEST(AsRead, IsThePageTheReadingSpeaksOf) {
  SheetReading reading;
  reading.orientation = 90;
  const auto page = page_with_mark();
  const auto seen = as_read(page, reading);
  EXPECT_EQ(seen.width, page.height);
  EXPECT_EQ(seen.pixels, imaging::turn(page, 1).pixels);
}

}  // namespace
}  // namespace alcove::sheets
