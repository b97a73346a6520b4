#include "imaging/decode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "imaging/golden.h"
#include "imaging/testing.h"

namespace alcove::imaging {
namespace {

using namespace std::literals;

TEST(Sniff, BelievesTheBytes) {
  EXPECT_EQ(sniff(golden("images/444.jpg")), Format::Jpeg);
  EXPECT_EQ(sniff(golden("images/rgb.png")), Format::Png);
  EXPECT_EQ(sniff(golden("images/rgb.bmp")), Format::Bmp);
  EXPECT_EQ(sniff(golden("images/lzw.tiff")), Format::Tiff);
  EXPECT_EQ(sniff(as_bytes("MM\0+\0\x08\0\0"sv)), Format::Tiff);
  EXPECT_EQ(sniff(golden("images/lossy.webp")), Format::WebP);
  EXPECT_EQ(sniff(testdata("four_corners.heic")), Format::Heic);
  EXPECT_EQ(sniff(testdata("locked.pdf")), Format::Pdf);
  EXPECT_EQ(sniff(buffer("X-Header: mail\r\n\r\n%PDF-1.7\n")), Format::Pdf);
}

TEST(Sniff, TakesNothingElse) {
  for (std::string_view text :
       {"", "hello", "BMW builds cars, and this is a text about them", "<!doctype html><html>",
        "GIF89a\1\0\1\0", "RIFF\4\0\0\0WAVE", "\xFF\xD8", "PK\3\4", "{\"pdf\": 1}"})
    EXPECT_EQ(sniff(as_bytes(text)), Format::Unknown) << text;
}

TEST(ListedExtension, IsTheContractsAndOurs) {
  for (auto name : {"a.pdf", "a.JPG", "b.jpeg", "c.png", "d.bmp", "e.tiff", "e.TIF", "f.webp", "x/y.heic"})
    EXPECT_TRUE(is_listed_extension(name)) << name;
  for (auto name : {"", "pdf", "a.exe", "a.pdf.zip", "jpg", "a.jp"})
    EXPECT_FALSE(is_listed_extension(name)) << name;
}

TEST(DecodePage, EqualsTheGoldenPictures) {
  const auto cases = golden_pictures();
  ASSERT_GE(cases.size(), 30u);
  for (const auto& [file, expected, max_abs] : cases) {
    const auto page = decode_page(golden(file));
    ASSERT_TRUE(page) << file << page.error().message;
    ASSERT_EQ(page->image.width, expected.width) << file;
    ASSERT_EQ(page->image.height, expected.height) << file;
    ASSERT_EQ(page->image.channels, 3);
    int worst = 0;
    for (std::size_t i = 0; i < expected.pixels.size(); ++i)
      worst = std::max(worst, std::abs(page->image.pixels[i] - expected.pixels[i]));
    EXPECT_LE(worst, max_abs) << file;
  }
}

TEST(DecodePage, ShowsTheSamePictureInEveryKind) {
  for (const auto* name :
       {"ycck.jpg", "palette.tiff", "rgb16.tiff", "orientation6.png", "orientation6.webp"}) {
    const auto page = decode_page(testdata(name));
    ASSERT_TRUE(page) << name << ": " << page.error().message;
    EXPECT_EQ(page->image.width, 64) << name;
    expect_four_corners(page->image, 6);
  }
}

TEST(DecodePage, KeepsTheUpperEightOfSixteenBits) {
  const auto page = decode_page(testdata("grey16.tiff"));
  ASSERT_TRUE(page) << page.error().message;
  const auto grey_at = [&](int x, int y) { return page->image.row(y)[3 * x]; };
  EXPECT_EQ(grey_at(16, 12), 76);   // red
  EXPECT_EQ(grey_at(48, 12), 150);  // green
  EXPECT_EQ(grey_at(16, 36), 29);   // blue
  EXPECT_EQ(grey_at(48, 36), 255);
}

TEST(DecodePage, OpensALockedPdfOfTodayWithItsPassword) {
  const auto locked = sample("encrypted.pdf");  // AES of 256 bits
  const auto without = decode_page(locked), wrong = decode_page(locked, {.limits = {}, .password = "guess"}),
             right = decode_page(locked, {.limits = {}, .password = "alcove-sample"});
  EXPECT_EQ(without.error().code, "pdf_encrypted");
  EXPECT_NE(without.error().message.find("send its password"), std::string::npos);
  EXPECT_EQ(wrong.error().code, "pdf_encrypted");
  EXPECT_NE(wrong.error().message.find("does not open"), std::string::npos);
  ASSERT_TRUE(right) << right.error().message;
  EXPECT_GT(right->image.width, 1000);
  for (const auto& odd : {std::string(5000, 'x'), std::string("caf\xC3\xA9"), std::string("\0x", 2)})
    EXPECT_EQ(error_code(locked, {.limits = {}, .password = odd}), "pdf_encrypted");
}

TEST(DecodePage, ReadsHeicOrNamesTheMissingPlugIn) {
  const auto page = decode_page(testdata("four_corners.heic"));
  if (page) {
    EXPECT_EQ(page->image.width, 64);
    EXPECT_EQ(page->image.height, 48);
    expect_four_corners(page->image);
  } else {
    EXPECT_EQ(page.error().code, "unsupported_format");
    EXPECT_NE(page.error().message.find("libheif-plugin-libde265"), std::string::npos);
  }
}

TEST(DecodePage, CountsThePagesOfATiff) {
  const Buffer tiff = golden("images/two_pages.tiff");
  DecodeOptions second;
  second.page = 1;
  const auto first_page = decode_page(tiff), second_page = decode_page(tiff, second);
  ASSERT_TRUE(first_page && second_page);
  EXPECT_EQ(first_page->pages, 2);
  EXPECT_EQ(second_page->pages, 2);
  EXPECT_NE(first_page->image.pixels, second_page->image.pixels);
}

TEST(DecodePage, RefusesAPageThatIsNotThere) {
  for (int page : {-1, 2, 2'000'000'000}) {
    DecodeOptions options;
    options.page = page;
    EXPECT_EQ(error_code(golden("images/two_pages.tiff"), options), "no_such_page") << page;
    EXPECT_EQ(error_code(golden("images/rgb.png"), options), "no_such_page") << page;
  }
}

TEST(DecodePage, RefusesWhatIsNoPicture) {
  EXPECT_EQ(error_code({}), "empty_file");
  EXPECT_EQ(error_code(as_bytes("Dear Sir or Madam, please find attached")), "unknown_format");
  EXPECT_EQ(error_code(Buffer(1000, 0)), "unknown_format");
}

TEST(DecodePage, JudgesTheSizeOfEveryFormat) {
  DecodeOptions few, narrow;
  few.limits.pixels = 1000;
  narrow.limits.side = 40;  // the pictures are 45 x 37 and 64 x 48
  for (auto name :
       {"images/444.jpg", "images/rgb.png", "images/rgb.bmp", "images/lzw.tiff", "images/lossy.webp"}) {
    EXPECT_EQ(error_code(golden(name), few), "too_many_pixels") << name;
    EXPECT_EQ(error_code(golden(name), narrow), "too_many_pixels") << name;
  }
  EXPECT_EQ(error_code(testdata("four_corners.heic"), narrow), "too_many_pixels");
  const auto page = decode_page(golden("images/rgb.png"), few);
  EXPECT_EQ(page.error().kind, ErrorKind::TooLarge);
  EXPECT_NE(page.error().message.find("45 x 37"), std::string::npos) << page.error().message;
}

TEST(DecodePage, RefusesADocumentOfTooManyPages) {
  DecodeOptions options;
  options.limits.pages = 1;
  EXPECT_EQ(error_code(golden("images/two_pages.tiff"), options), "too_many_pages");
}

TEST(DecodePage, RefusesAPngThatSaysItIsHuge) {
  const Buffer png = buffer(
      "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\x01\x86\xA0\0\x01\x86\xA0\x08\2\0\0\0\x27\x30\x9C\x9F\0\0\0\1IDAT"s);
  EXPECT_EQ(error_code(png), "too_many_pixels");
}

TEST(DecodePage, RefusesAJpegThatSaysItIsHuge) {
  Buffer jpeg = golden("images/444.jpg");
  const auto frame = std::search(jpeg.begin(), jpeg.end(), std::begin("\xFF\xC0"), std::begin("\xFF\xC0") + 2,
                                 [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); });
  ASSERT_NE(frame, jpeg.end());
  std::fill_n(frame + 5, 4, std::uint8_t{0xF0});  // height and width
  EXPECT_EQ(error_code(jpeg), "too_many_pixels");
}

// A directory of these entries (tag, type LONG, value) at byte 8; the next directory at `next`.
Buffer tiff_of(const std::vector<std::array<std::uint32_t, 2>>& entries, std::uint32_t next) {
  Buffer bytes = buffer("II*\0\x08\0\0\0"s);
  const auto put = [&](std::uint32_t value, int size) {
    for (int i = 0; i < size; ++i) bytes.push_back(value >> 8 * i & 255);
  };
  put(entries.size(), 2);
  for (const auto& [tag, value] : entries) put(tag, 2), put(4, 2), put(1, 4), put(value, 4);
  put(next, 4);
  return bytes;
}

TEST(DecodePage, RefusesATiffThatSaysItIsHuge) {
  EXPECT_EQ(error_code(tiff_of({{256, 100'000}, {257, 100'000}, {258, 8}, {262, 1}, {273, 8}, {279, 10}}, 0)),
            "too_many_pixels");
  // Here libtiff itself has had enough.
  EXPECT_EQ(
      error_code(tiff_of({{256, 0xFFFFFFFF}, {257, 0xFFFFFFFF}, {258, 8}, {262, 1}, {273, 8}, {279, 10}}, 0)),
      "damaged");
}

// Older versions of libtiff take a circle for the end, newer ones for damage.
TEST(DecodePage, CountsATiffThatLeadsInACircleOnce) {
  const auto page = decode_page(tiff_of({{256, 4}, {257, 4}, {258, 8}, {262, 1}, {273, 8}, {279, 16}}, 8));
  if (page) {
    EXPECT_EQ(page->pages, 1);
  } else {
    EXPECT_EQ(page.error().code, "damaged");
  }
}

TEST(DecodePage, RefusesATiffThatIsShorterThanItSays) {
  EXPECT_EQ(error_code(tiff_of(
                {{256, 9000}, {257, 9000}, {258, 8}, {262, 1}, {273, 8}, {278, 9000}, {279, 81'000'000}}, 0)),
            "truncated");
}

// Every message is for a person: one sentence, plain characters, no newline.
TEST(DecodePage, SaysItInPlainWords) {
  std::mt19937 random(3);
  for (auto name : {"images/444.jpg", "images/rgb.png", "images/lzw.tiff", "images/lossless.webp"})
    for (int round = 0; round < 60; ++round) {
      const auto page = decode_page(with_flips(golden(name), random));
      if (page) continue;
      for (char c : page.error().message) EXPECT_TRUE(c >= ' ' && c <= '~') << page.error().message;
    }
}

}  // namespace
}  // namespace alcove::imaging
