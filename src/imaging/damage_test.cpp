// Every format cut short at many places and with bytes changed. Cut files end in an error with a code;
// changed ones end somehow, in bounded time and without a step outside the bytes, which the sanitizers watch.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "imaging/testing.h"

namespace alcove::imaging {
namespace {

struct Sample {
  const char* name;
  bool golden;
  std::size_t spare = 0;  // bytes at the end whose loss loses nothing of the picture
};
constexpr Sample kSamples[] = {
    {"images/420.jpg", true},
    {"images/progressive.jpg", true},
    {"images/restart.jpg", true},
    {"images/cmyk.jpg", true},
    {"images/orientation6.jpg", true},
    {"images/rgb.png", true},
    {"images/palette_transparent.png", true},
    {"images/interlaced.png", true},
    {"images/rgb16.png", true},
    {"images/rgb.bmp", true, 1},  // padding of the last row
    {"images/palette.bmp", true, 3},
    {"images/uncompressed.tiff", true},
    {"images/lzw.tiff", true},
    {"images/deflate.tiff", true},
    {"images/packbits.tif", true, 4},  // "no directory follows"
    {"images/fax4.tiff", true, 4},
    {"images/jpeg.tiff", true},
    {"images/lossy.webp", true},
    {"images/alpha.webp", true},
    {"four_corners.heic", false},
    {"locked.pdf", false, 1},
};

Buffer load(const Sample& sample) { return sample.golden ? golden(sample.name) : testdata(sample.name); }
DecodeOptions options() {
  DecodeOptions options;
  options.password = "sheet";
  options.dpi = 20;
  options.limits.pixels = 4'000'000;
  return options;
}

class Damage : public testing::TestWithParam<Sample> {};

TEST_P(Damage, ACutFileIsRefused) {
  const Buffer whole = load(GetParam());
  // Without its plug-in HEIC ends in the same code everywhere.
  const std::string uncut = error_code(whole, options());
  ASSERT_TRUE(uncut.empty() || uncut == "unsupported_format");
  std::set<std::size_t> sizes;
  for (std::size_t size = 1; size <= 40; ++size) sizes.insert(size);
  for (std::size_t step = 1; step < 60; ++step) sizes.insert(whole.size() * step / 60);
  for (std::size_t missing = 1; missing <= 24; ++missing) sizes.insert(whole.size() - missing);
  const std::set<std::string> expected{"truncated", "damaged", "unknown_format", "unsupported_format"};
  for (std::size_t size : sizes) {
    if (size >= whole.size() || whole.size() - size <= GetParam().spare) continue;
    const std::string code = error_code(Bytes(whole).first(size), options());
    EXPECT_TRUE(expected.contains(code))
        << "cut to " << size << " of " << whole.size() << ": '" << code << "'";
    // libheif cannot always tell a cut file from a damaged one.
    if (size > 40 && sniff(whole) != Format::Heic) {
      EXPECT_EQ(code, "truncated") << "cut to " << size;
    }
  }
}

TEST_P(Damage, ChangedBytesEndInBoundedTime) {
  const Buffer whole = load(GetParam());
  std::mt19937 random(7);
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < 120; ++round) {
    const Buffer changed = with_flips(whole, random);
    const auto page = decode_page(changed, options());
    if (page) {
      EXPECT_EQ(page->image.pixels.size(), page->image.row_bytes() * page->image.height);
    } else {
      EXPECT_FALSE(page.error().code.empty()) << page.error().message;
    }
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

std::string name_of_sample(const testing::TestParamInfo<Sample>& info) {
  std::string name = info.param.name;
  std::replace_if(name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Formats, Damage, testing::ValuesIn(kSamples), name_of_sample);

}  // namespace
}  // namespace alcove::imaging
