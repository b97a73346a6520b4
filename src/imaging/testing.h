#pragma once
// What the tests of this folder share.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "imaging/decode.h"

namespace alcove::imaging {

using Buffer = std::vector<std::uint8_t>;

inline Buffer read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}
inline Buffer testdata(const std::string& name) {
  return read_file(ALCOVE_SOURCE_DIR "/src/imaging/testdata/" + name);
}
inline Buffer sample(const std::string& name) {
  return read_file(ALCOVE_SOURCE_DIR "/samples/sheets/" + name);
}
inline Buffer golden(const std::string& name) { return read_file(ALCOVE_SOURCE_DIR "/tests/golden/" + name); }
inline Buffer buffer(std::string_view text) { return {text.begin(), text.end()}; }

// The tests' program lies far from the library; a name in the environment is what an installation may use as
// well.
inline const bool kPdfiumIsNamed = setenv("ALCOVE_PDFIUM", ALCOVE_PDFIUM_RUNTIME, /*overwrite*/ 0) == 0;

// The word at which this program is the keeper of decode workers, which then do what the file says when it
// begins with "attack: " (decode_pool_test.cpp).
constexpr const char* kTestKeeper = "decode-workers-that-attack";

// Red and green above, blue and white below: the picture of the hand-made files, which shows every wrong
// turn.
inline void expect_four_corners(const Image& image, int tolerance = 3) {
  ASSERT_EQ(image.channels, 3);
  const int colours[2][2][3] = {{{255, 0, 0}, {0, 255, 0}}, {{0, 0, 255}, {255, 255, 255}}};
  for (int down : {0, 1})
    for (int across : {0, 1}) {
      const std::uint8_t* pixel =
          image.row(image.height * (1 + 2 * down) / 4) + image.width * (1 + 2 * across) / 4 * 3;
      for (int c = 0; c < 3; ++c)
        EXPECT_NEAR(pixel[c], colours[down][across][c], tolerance) << "row " << down << " column " << across;
    }
}

// The code of the error that the bytes end in; empty when they are read.
inline std::string error_code(Bytes bytes, const DecodeOptions& options = {}) {
  // A copy of exactly that size, so that the sanitizer sees a step too far.
  const Buffer exact(bytes.begin(), bytes.end());
  const auto page = decode_page(exact, options);
  if (page) return {};
  EXPECT_GT(page.error().message.size(), 20u);
  EXPECT_FALSE(page.error().code.empty()) << page.error().message;
  return page.error().code.empty() ? "no code" : page.error().code;
}

// Up to three bytes of the copy changed at random.
inline Buffer with_flips(Buffer bytes, std::mt19937& random) {
  for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips)
    bytes[random() % bytes.size()] = random() & 255;
  return bytes;
}

}  // namespace alcove::imaging
