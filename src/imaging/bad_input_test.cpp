// Files made to do harm, through a pool as the server has it: each gets its code, and the next sheet is
// opened as if nothing had been.

#include <gtest/gtest.h>

#include <array>

#include "imaging/decode_pool.h"
#include "imaging/pdf_testing.h"

namespace alcove::imaging {
namespace {

using namespace std::chrono_literals;
using namespace std::literals;

class BadInput : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    // Ten minutes on the clock, since a busy machine may give little of itself; one second of work.
    pool = std::make_unique<DecodePool>(PoolSettings{
        .workers = 2, .limits = {.cpu_seconds = 3}, .longest_page = 10min, .keeper = kTestKeeper});
  }
  static void TearDownTestSuite() { pool.reset(); }
  void TearDown() override { EXPECT_TRUE(pool->page(golden("images/rgb.png"), {})); }

  static std::string code(Bytes file, const DecodeOptions& options = {}) {
    const auto page = pool->page(file, options);
    return page ? "" : page.error().code;
  }

  static std::unique_ptr<DecodePool> pool;
};
std::unique_ptr<DecodePool> BadInput::pool;

// ---- PDF ----

Buffer pdf_with_pages(const std::string& kids, std::size_t count, const std::vector<std::string>& more = {}) {
  std::vector<std::string> objects{"<< /Type /Catalog /Pages 2 0 R >>",
                                   fmt::format("<< /Type /Pages /Kids [{}] /Count {} >>", kids, count)};
  objects.insert(objects.end(), more.begin(), more.end());
  return pdf_of(objects);
}
const std::string kSmallPage = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>";

TEST_F(BadInput, PdfWithoutPages) { EXPECT_EQ(code(pdf_with_pages("", 0)), "damaged"); }

TEST_F(BadInput, PdfOfTenThousandPages) {
  std::string kids;
  for (int page = 0; page < 10'000; ++page) kids += fmt::format("{} 0 R ", page + 3);
  EXPECT_EQ(code(pdf_with_pages(kids, 10'000, std::vector(10'000, kSmallPage))), "too_many_pages");
}

TEST_F(BadInput, PdfThatLiesAboutItsPages) {
  const auto page = pool->page(pdf_with_pages("3 0 R", 2'000'000'000, {kSmallPage}), {});
  ASSERT_TRUE(page) << page.error().message;  // PDFium does not believe it, and counts
  EXPECT_EQ(page->pages, 1);
  EXPECT_EQ(code(pdf_with_pages("3 0 R", 400, {kSmallPage}), {.limits = {}, .page = 300}), "damaged");
}

TEST_F(BadInput, PdfWhosePagesAreTheirOwnChildren) {
  const auto answer = code(pdf_with_pages("2 0 R 2 0 R 3 0 R", 3, {kSmallPage}));
  EXPECT_TRUE(answer.empty() || answer == "damaged") << answer;
}

TEST_F(BadInput, PdfPageOfTwoHundredInches) {
  EXPECT_EQ(code(one_page("0 0 14400 14400", "", "0 g")), "too_many_pixels");
  EXPECT_EQ(code(one_page("0 0 999999999 999999999", "", "0 g")), "too_many_pixels");
  EXPECT_EQ(code(one_page("0 0 0 0", "", "0 g")), "") << "PDFium takes a page without size for a letter";
  EXPECT_EQ(code(one_page("100 100 0 0", "", "0 g")), "");
}

// Each form draws the next one ten times.
TEST_F(BadInput, PdfThatDrawsTenBillionTimes) {
  constexpr int kLevels = 10;
  std::vector<std::string> objects{"<< /Type /Catalog /Pages 2 0 R >>",
                                   "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                                   "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R "
                                   "/Resources << /XObject << /F 5 0 R >> >> >>",
                                   "<< /Length 4 >>\nstream\n/F Do\nendstream"};
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += "/F Do ";
  for (int level = 0; level < kLevels; ++level) {
    const bool last = level + 1 == kLevels;
    const std::string content = last ? "0 0 99 99 re f" : ten;
    objects.push_back(fmt::format(
        "<< /Type /XObject /Subtype /Form /BBox [0 0 99 99] {} /Length {} >>\nstream\n{}\nendstream",
        last ? "" : fmt::format("/Resources << /XObject << /F {} 0 R >> >>", level + 6), content.size(),
        content));
  }
  const auto answer = code(pdf_of(objects));
  EXPECT_TRUE(answer.empty() || answer == "too_slow" || answer == "too_much_memory") << answer;
}

TEST_F(BadInput, PdfOfDeepNests) {
  const auto nest = std::string(200'000, '[') + std::string(200'000, ']');
  const auto answer = code(pdf_of({"<< /Type /Catalog /Pages 2 0 R /Deep " + nest + " >>",
                                   "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", kSmallPage}));
  EXPECT_TRUE(answer.empty() || answer == "damaged") << answer;
}

// ---- PNG ----

std::uint32_t crc_of(Bytes bytes) {
  std::uint32_t crc = ~0U;
  for (const auto byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

void append_chunk(Buffer& png, std::string_view name, const Buffer& content) {
  const auto put = [&](std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) png.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  put(static_cast<std::uint32_t>(content.size()));
  const auto begin = png.size();
  png.insert(png.end(), name.begin(), name.end());
  png.insert(png.end(), content.begin(), content.end());
  put(crc_of(Bytes(png).subspan(begin)));
}

Buffer png_of(std::uint32_t width, std::uint32_t height, const Buffer& data, std::uint8_t bits = 8,
              std::uint8_t kind = 2) {
  Buffer png = buffer("\x89PNG\r\n\x1A\n"), header;
  for (const auto side : {width, height})
    for (int shift = 24; shift >= 0; shift -= 8) header.push_back(static_cast<std::uint8_t>(side >> shift));
  header.insert(header.end(), {bits, kind, 0, 0, 0});
  append_chunk(png, "IHDR", header);
  append_chunk(png, "IDAT", data);
  append_chunk(png, "IEND", {});
  return png;
}

TEST_F(BadInput, PngBomb) {
  const auto some = buffer("\x78\x01\x01\0\0\xFF\xFF\0\0\0\1"s);
  EXPECT_EQ(code(png_of(50'000, 50'000, some)), "too_many_pixels");
  EXPECT_EQ(code(png_of(50'000, 50'000, some, 1, 0)), "too_many_pixels");
  EXPECT_EQ(code(png_of(0x7FFFFFFF, 0x7FFFFFFF, some)), "too_many_pixels");
  EXPECT_EQ(code(png_of(4000, 4000, some)), "damaged") << "sixteen million pixels promised, none there";
  EXPECT_EQ(code(png_of(0, 10, some)), "damaged");
}

// ---- TIFF ----

// A directory of a 4 x 4 grey picture at the end of `tiff`, which then goes on at `next`.
void add_directory(Buffer& tiff, std::uint32_t bits, std::uint32_t next) {
  const auto put = [&](std::uint32_t value, int size) {
    for (int i = 0; i < size; ++i) tiff.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  };
  const std::array<std::array<std::uint32_t, 2>, 7> entries{
      {{256, 4}, {257, 4}, {258, bits}, {262, 1}, {273, 8}, {278, 4}, {279, 16}}};
  put(entries.size(), 2);
  for (const auto& [tag, value] : entries) put(tag, 2), put(4, 2), put(1, 4), put(value, 4);
  put(next, 4);
}

TEST_F(BadInput, TiffWhoseDirectoriesLeadInACircle) {
  Buffer tiff = buffer("II*\0\x18\0\0\0"s + std::string(16, '\x80'));
  add_directory(tiff, 8, 150);
  tiff.resize(150);
  add_directory(tiff, 8, 24);
  const auto answer = code(tiff);
  EXPECT_TRUE(answer.empty() || answer == "damaged") << answer;  // as libtiff's version has it
}

TEST_F(BadInput, TiffOfAnOddDepthIsToldSoInASentence) {
  Buffer tiff = buffer("II*\0\x18\0\0\0"s + std::string(16, '\x80'));
  add_directory(tiff, 3, 0);
  const auto page = decode_page(tiff);
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, ErrorKind::Unreadable);
  EXPECT_NE(page.error().message.find("cannot be read ("), std::string::npos) << page.error().message;
  EXPECT_NE(page.error().message.find("save it with 8 bits a channel or as PNG"), std::string::npos);
}

// ---- two things at once ----

TEST_F(BadInput, APolyglotIsWhatItBeginsWith) {
  const auto png = golden("images/rgb.png");
  const auto joined = [](Buffer first, const Buffer& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
  };
  const auto pdf = one_page("0 0 100 50", "", "0 g");
  const auto zip = buffer("PK\3\4\x14\0\0\0\0\0"s);
  const auto page_of = [](const Buffer& file) { return pool->page(file, {.limits = {}, .dpi = 72}); };
  for (const auto& second : {pdf, zip, buffer("<script>alert(1)</script>"), golden("images/420.jpg")}) {
    const auto page = page_of(joined(png, second));
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_EQ(page->image.width, 45);
  }
  EXPECT_EQ(page_of(joined(buffer("<html>\n"), pdf))->image.width, 100);
  EXPECT_EQ(code(joined(zip, golden("images/420.jpg"))), "unknown_format");
  EXPECT_EQ(code(joined(buffer("GIF89a"), png)), "unknown_format");
}

TEST_F(BadInput, HalfOfEverySample) {
  for (const auto* name : {"clean-slip.pdf", "pages.pdf", "pages.tiff", "scan-cmyk.jpg", "scan-alpha.png",
                           "photo-exif.jpg", "clean-plain.webp", "scan-grey.bmp", "scan-grey.tiff"}) {
    const auto whole = sample(name);
    EXPECT_EQ(code(Bytes(whole).first(whole.size() / 2)), "truncated") << name;
  }
}

}  // namespace
}  // namespace alcove::imaging
