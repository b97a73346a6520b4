#include "sheets/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sheets/testing.h"

namespace alcove::sheets {
namespace {

// Uncompressed grey TIFF, one strip a page: pages told apart by the grey of all their pixels.
std::vector<std::uint8_t> tiff_of(const std::vector<std::uint8_t>& greys) {
  constexpr std::uint32_t kWidth = 64, kHeight = 96, kTags = 9;
  std::vector<std::uint8_t> file{'I', 'I', 42, 0};
  const auto put16 = [&](std::uint32_t value) {
    file.push_back(static_cast<std::uint8_t>(value));
    file.push_back(static_cast<std::uint8_t>(value >> 8));
  };
  const auto put32 = [&](std::uint32_t value) {
    put16(value & 0xFFFF);
    put16(value >> 16);
  };
  put32(8);
  for (std::size_t page = 0; page < greys.size(); ++page) {
    const auto start = static_cast<std::uint32_t>(file.size());
    const std::uint32_t pixels = start + 2 + kTags * 12 + 4;
    const std::uint32_t next = page + 1 < greys.size() ? pixels + kWidth * kHeight : 0;
    put16(kTags);
    const std::uint32_t tags[kTags][2] = {{256, kWidth}, {257, kHeight}, {258, 8},
                                          {259, 1},      {262, 1},       {273, pixels},
                                          {277, 1},      {278, kHeight}, {279, kWidth * kHeight}};
    for (const auto& [tag, value] : tags) {
      put16(tag);
      put16(4);
      put32(1);
      put32(value);
    }
    put32(next);
    file.insert(file.end(), kWidth * kHeight, greys[page]);
  }
  return file;
}

imaging::LocalDecoder decoder;

constexpr std::uint8_t kCover = 200, kOneBox = 150, kNothing = 250;

SheetReading read_by_grey(const imaging::Image& page) {
  const auto grey = page.pixels[0];
  SheetReading reading = grey == kCover ? both() : SheetReading{};
  if (grey == kOneBox) reading.subject_code = both().subject_code;
  return reading;
}

SheetReading read(const std::vector<std::uint8_t>& pages, const SheetOptions& options = {}) {
  FakeReader reader(read_by_grey);
  const auto file = tiff_of(pages);
  auto reading = read_sheet(reader, decoder, file, options);
  EXPECT_TRUE(reading) << reading.error().message;
  return reading.value_or(SheetReading{});
}

std::vector<int> numbers(const SheetReading& reading) {
  std::vector<int> list;
  for (const auto& look : reading.looks) list.push_back(look.number);
  return list;
}

TEST(ReadSheet, TakesTheFirstPageWithBothBoxesForTheCover) {
  const auto reading = read({kNothing, kOneBox, kCover, kCover});
  EXPECT_EQ(reading.page, 3);
  EXPECT_EQ(reading.pages, 4);
  EXPECT_EQ(numbers(reading), (std::vector{1, 2, 3})) << "and looks no further";
  EXPECT_EQ(reading.looks[1].subject_boxes, 1);
  EXPECT_EQ(reading.looks[1].register_boxes, 0);
  EXPECT_EQ(reading.reasons, std::vector<std::string>{"later_page"});
}

TEST(ReadSheet, OpensOnePageOfADocumentThatBeginsWithItsCover) {
  const auto reading = read({kCover, kNothing, kNothing});
  EXPECT_EQ(numbers(reading), std::vector{1});
  EXPECT_EQ(reading.reasons, std::vector<std::string>{});
}

TEST(ReadSheet, WithoutACoverTakesThePageWithMost) {
  EXPECT_EQ(read({kNothing, kOneBox, kNothing}).page, 2);
  EXPECT_EQ(read({kNothing, kNothing}).page, 1) << "the first one, when they are alike";
}

TEST(ReadSheet, LooksAtSoManyPagesAndNoMore) {
  std::vector<std::uint8_t> pages(12, kNothing);
  pages.back() = kCover;
  const auto reading = read(pages);
  EXPECT_EQ(static_cast<int>(reading.looks.size()), kPagesLookedAt);
  EXPECT_FALSE(reading.has_both_boxes());
}

TEST(ReadSheet, ReadsThePageItIsTold) {
  const auto reading = read({kCover, kNothing, kOneBox}, {.password = {}, .page = 3});
  EXPECT_EQ(reading.page, 3);
  EXPECT_EQ(numbers(reading), std::vector{3});
}

TEST(ReadSheet, AsItIsMeansTheFirstPage) {
  const auto reading = read({kNothing, kCover}, {.password = {}, .page = {}, .as_is = true});
  EXPECT_EQ(reading.page, 1);
  EXPECT_FALSE(reading.has_both_boxes());
}

TEST(ReadSheet, APageCutOffBehindAGoodOneCostsOnlyThatPage) {
  FakeReader reader(read_by_grey);
  auto file = tiff_of({kOneBox, kNothing});
  file.erase(file.end() - 3000, file.end());
  const auto reading = read_sheet(reader, decoder, file);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_EQ(reading->page, 1);
}

TEST(ReadSheet, CountsTimeOverAllPages) {
  const auto reading = read({kNothing, kCover});
  ASSERT_FALSE(reading.timings.empty());
  EXPECT_EQ(reading.timings.front().name, "decode");
  EXPECT_EQ(reading.timings.back().name, "total");
  const auto detect = std::ranges::find(reading.timings, "detect", &Stage::name);
  ASSERT_NE(detect, reading.timings.end());
  EXPECT_EQ(detect->milliseconds, 20);
}

TEST(PageOf, IsThePageThatWasRead) {
  const auto file = tiff_of({kNothing, kCover});
  SheetReading reading;
  reading.page = 2;
  reading.orientation = 90;
  const auto page = page_of(decoder, file, reading);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->width, 96);
  EXPECT_EQ(page->pixels[0], kCover);
}

}  // namespace
}  // namespace alcove::sheets
