#include "imaging/encode_jpeg.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "imaging/decode.h"

namespace alcove::imaging {
namespace {

TEST(EncodeJpeg, IsReadBackAlmostTheSame) {
  Image image{.width = 40, .height = 24, .channels = 3, .pixels = {}};
  for (int i = 0; i < 40 * 24; ++i)
    for (const int value : {i % 40 * 6, i / 40 * 10, 128})
      image.pixels.push_back(static_cast<std::uint8_t>(value));
  const auto file = encode_jpeg(image, 90);
  ASSERT_TRUE(file) << file.error().message;
  const auto page = decode_page(as_bytes(*file));
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->image.width, 40);
  ASSERT_EQ(page->image.height, 24);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    ASSERT_LE(std::abs(image.pixels[i] - page->image.pixels[i]), 12) << "at byte " << i;
}

TEST(EncodeJpeg, RefusesWhatHasNoPixels) {
  EXPECT_FALSE(encode_jpeg({.width = 0, .height = 5, .channels = 3, .pixels = {}}, 80));
  EXPECT_FALSE(encode_jpeg({.width = 70'000, .height = 1, .channels = 3, .pixels = {}}, 80));
}

}  // namespace
}  // namespace alcove::imaging
