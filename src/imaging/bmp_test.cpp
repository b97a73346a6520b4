#include <gtest/gtest.h>

#include <bit>

#include "imaging/testing.h"

namespace alcove::imaging {
namespace {

struct Bmp {
  std::int32_t width = 4, height = 2;
  std::uint16_t bits = 8;
  std::uint32_t compression = 0;
  std::vector<std::uint32_t> after_header;  // masks or palette, 0xRRGGBB
  Buffer pixels;

  Buffer bytes() const {
    Buffer out = buffer("BM");
    const auto put = [&](std::uint32_t value, int size) {
      for (int i = 0; i < size; ++i) out.push_back(value >> 8 * i & 255);
    };
    const std::uint32_t offset = 54 + 4 * static_cast<std::uint32_t>(after_header.size());
    put(offset + pixels.size(), 4), put(0, 4), put(offset, 4);
    put(40, 4), put(width, 4), put(height, 4), put(1, 2), put(bits, 2), put(compression, 4);
    put(0, 4), put(0, 4), put(0, 4), put(bits <= 8 ? after_header.size() : 0, 4), put(0, 4);
    for (std::uint32_t value : after_header) put(value, 4);
    out.insert(out.end(), pixels.begin(), pixels.end());
    return out;
  }
};

constexpr std::uint32_t kRed = 0xFF0000, kGreen = 0x00FF00, kBlue = 0x0000FF, kWhite = 0xFFFFFF;

// One letter for each pixel; '?' for any other colour.
std::string letters(const Bmp& bmp) {
  const auto page = decode_page(bmp.bytes());
  if (!page) return page.error().code;
  std::string found;
  for (int y = 0; y < page->image.height; ++y, found += '/')
    for (int x = 0; x < page->image.width; ++x) {
      const std::uint8_t* p = page->image.row(y) + 3 * x;
      const std::uint32_t colour = p[0] << 16 | p[1] << 8 | p[2];
      found += colour == kRed     ? 'r'
               : colour == kGreen ? 'g'
               : colour == kBlue  ? 'b'
               : colour == kWhite ? 'w'
                                  : '?';
    }
  return found;
}

const std::vector<std::uint32_t> kPalette{kRed, kGreen, kBlue, kWhite};

TEST(Bmp, RowsGoUpUnlessTheHeightIsNegative) {
  Bmp bmp{.after_header = kPalette, .pixels = {0, 1, 2, 3, 3, 3, 0, 0}};
  EXPECT_EQ(letters(bmp), "wwrr/rgbw/");
  bmp.height = -2;
  EXPECT_EQ(letters(bmp), "rgbw/wwrr/");
}

TEST(Bmp, ReadsFewBitsAPixel) {
  EXPECT_EQ(
      letters(
          {.width = 5, .height = -1, .bits = 4, .after_header = kPalette, .pixels = {0x01, 0x23, 0x10, 0}}),
      "rgbwg/");
  EXPECT_EQ(
      letters({.width = 5, .height = -1, .bits = 2, .after_header = kPalette, .pixels = {0x1B, 0x40, 0, 0}}),
      "rgbwg/");
  EXPECT_EQ(
      letters(
          {.width = 9, .height = -1, .bits = 1, .after_header = {kRed, kBlue}, .pixels = {0xA5, 0x80, 0, 0}}),
      "brbrrbrbb/");
}

TEST(Bmp, ReadsFields) {
  EXPECT_EQ(letters({.width = 3, .height = -1, .bits = 16, .pixels = {0, 0x7C, 0xE0, 0x03, 0x1F, 0, 0, 0}}),
            "rgb/");
  EXPECT_EQ(letters({.width = 3,
                     .height = -1,
                     .bits = 16,
                     .compression = 3,
                     .after_header = {0xF800, 0x07E0, 0x001F},
                     .pixels = {0, 0xF8, 0xE0, 0x07, 0x1F, 0, 0, 0}}),
            "rgb/");
  EXPECT_EQ(letters({.width = 2,
                     .height = -1,
                     .bits = 32,
                     .compression = 3,
                     .after_header = {0x000000FF, 0x0000FF00, 0x00FF0000},
                     .pixels = {255, 0, 0, 9, 0, 0, 255, 9}}),
            "rb/");
}

TEST(Bmp, LaysTransparentFieldsOnWhite) {
  EXPECT_EQ(letters({.width = 2,
                     .height = -1,
                     .bits = 32,
                     .compression = 6,
                     .after_header = {0x000000FF, 0x0000FF00, 0x00FF0000, 0xFF000000},
                     .pixels = {255, 0, 0, 255, 0, 0, 255, 0}}),
            "rw/");
}

TEST(Bmp, ReadsRunsOfBytes) {
  // Three of 1; end of row; step two to the right; the indices 2 3 as they are; end.
  EXPECT_EQ(letters({.compression = 1,
                     .after_header = kPalette,
                     .pixels = {3, 1, 0, 0, 0, 2, 1, 0, 0, 3, 2, 3, 1, 0, 0, 1}}),
            "rbwg/gggr/");
}

TEST(Bmp, ReadsRunsOfNibbles) {
  EXPECT_EQ(letters({.bits = 4,
                     .compression = 2,
                     .after_header = kPalette,
                     .pixels = {4, 0x12, 0, 0, 0, 4, 0x32, 0x10, 0, 1}}),
            "wbgr/gbgb/");
}

TEST(Bmp, RefusesRunsThatEndEarlyOrNeverEndARow) {
  Bmp bmp{.compression = 1, .after_header = kPalette, .pixels = {3, 1, 0, 0}};
  EXPECT_EQ(letters(bmp), "truncated");
  bmp.pixels.assign(4000, 255);
  EXPECT_EQ(letters(bmp), "damaged");
}

TEST(Bmp, RefusesSizesThatLie) {
  EXPECT_EQ(letters({.width = 30'000, .height = 3'000, .bits = 24, .pixels = {1, 2, 3}}), "truncated");
  EXPECT_EQ(letters({.width = 0x7FFFFFFF, .height = 0x7FFFFFFF, .bits = 24, .pixels = {1}}),
            "too_many_pixels");
  EXPECT_EQ(
      letters({.width = 4, .height = std::numeric_limits<std::int32_t>::min(), .bits = 24, .pixels = {1}}),
      "too_many_pixels");
  EXPECT_EQ(letters({.width = -4, .bits = 24, .pixels = {1}}), "damaged");
  EXPECT_EQ(letters({.width = 0, .bits = 24, .pixels = {1}}), "damaged");
  EXPECT_EQ(letters({.bits = 7, .pixels = {1}}), "damaged");
}

TEST(Bmp, RefusesOtherPicturesInside) {
  EXPECT_EQ(letters({.compression = 4, .pixels = {1}}), "unsupported_format");  // a JPEG for printers
}

}  // namespace
}  // namespace alcove::imaging
