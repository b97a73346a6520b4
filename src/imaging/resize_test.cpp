// Both resizes against the originals' bytes: digests of noise in many sizes (testdata/resized.py), and the
// pictures of tests/golden.

#include <gtest/gtest.h>

#include "base/sha256.h"
#include "imaging/golden.h"
#include "imaging/testing.h"

namespace alcove::imaging {
namespace {

struct Row {
  int width, height, channels, to_width, to_height;
  const char *linear, *pillow;  // the first digits of the sha256
};
constexpr Row kRows[] = {
    {1654, 2339, 3, 453, 640, "23a71e0e7a98921e", "d9d070712966034c"},
    {2339, 1654, 3, 640, 453, "6934ebdafca3b071", "f72d4c1ae0021036"},
    {1000, 700, 1, 333, 699, "c5b0cc8d3582eaf3", "1c173eb12cc0d0d2"},
    {640, 480, 3, 320, 240, "0584f451895d8aa1", "faf365d390d3ad4c"},
    {641, 481, 3, 320, 240, "4734923bc28bf5bb", "5da1b6a81e463ade"},
    {640, 480, 1, 320, 120, "170d0b5bcdedb9da", "b3012e8dbe2ebc12"},
    {97, 83, 3, 31, 83, "b5ab4b9cbe9535de", "47d79d90bc8fc162"},
    {97, 83, 1, 97, 29, "47a61aae351970ec", "a7e4e2a8ba2a34b6"},
    {300, 200, 3, 640, 427, "4a9aa6c312422c11", "4f9b6f20727b89f1"},
    {33, 11, 1, 128, 32, "4dfe4eb686528e4a", "00d5a316c07c6170"},
    {57, 64, 3, 114, 128, "1978fd65572337c3", "9aced9f666ff6ba4"},
    {40, 300, 1, 90, 32, "5b4a28bac014be8d", "6d6eab8403623148"},
    {500, 20, 3, 256, 32, "ce9199b26edc722f", "2b978dd15e6aa6eb"},
    {1, 1, 3, 5, 7, "cade04f039ecdff5", "cade04f039ecdff5"},
    {9, 1, 1, 4, 6, "933a8f5a62b45b20", "3ee05787961536a0"},
    {50, 41, 3, 1, 1, "fe75c65c6ae72052", "dfb3d748a709b9ba"},
};

Image noise(int width, int height, int channels) {
  Image image = make_image(width, height, channels);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    std::uint32_t mixed = static_cast<std::uint32_t>(i) * 2654435761u;
    mixed = (mixed ^ mixed >> 15) * 2246822519u;
    image.pixels[i] = mixed >> 24;
  }
  return image;
}

class Resize : public testing::TestWithParam<Row> {};

TEST_P(Resize, LinearEqualsOpenCv) {
  const Row& row = GetParam();
  const Image resized =
      resize_linear(noise(row.width, row.height, row.channels), row.to_width, row.to_height);
  EXPECT_EQ(resized.width, row.to_width);
  EXPECT_EQ(resized.height, row.to_height);
  EXPECT_EQ(sha256_hex(resized.pixels).substr(0, 16), row.linear);
}

TEST_P(Resize, TriangleEqualsPillow) {
  const Row& row = GetParam();
  const Image resized =
      resize_pillow(noise(row.width, row.height, row.channels), row.to_width, row.to_height);
  EXPECT_EQ(resized.width, row.to_width);
  EXPECT_EQ(resized.height, row.to_height);
  EXPECT_EQ(sha256_hex(resized.pixels).substr(0, 16), row.pillow);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Resize, testing::ValuesIn(kRows));

TEST(ResizePillow, EqualsTheGoldenPictures) {
  const auto cases = golden_resizes();
  ASSERT_GE(cases.size(), 10u);
  for (const auto& [name, source, expected] : cases)
    EXPECT_TRUE(resize_pillow(source, expected.width, expected.height).pixels == expected.pixels) << name;
}

TEST(Resize, OfTheSameSizeChangesNothing) {
  const Image image = noise(40, 32, 3);
  EXPECT_EQ(resize_linear(image, 40, 32).pixels, image.pixels);
  EXPECT_EQ(resize_pillow(image, 40, 32).pixels, image.pixels);
}

}  // namespace
}  // namespace alcove::imaging
