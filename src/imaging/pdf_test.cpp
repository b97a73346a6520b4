#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "imaging/cut_pages.h"
#include "imaging/pdf_testing.h"

namespace alcove::imaging {
namespace {

constexpr std::string_view kA4 = "0 0 595.276 841.89";

// The four corners of a box of `width` by `height` points.
std::string corners(double width, double height) {
  return fmt::format(
      "1 0 0 rg 0 {1} {0} {1} re f 0 1 0 rg {0} {1} {0} {1} re f 0 0 1 rg 0 0 {0} {1} re f 1 g {0} 0 {0} {1} "
      "re f",
      width / 2, height / 2);
}

TEST(Pdf, RendersA4At200Dpi) {
  const auto page = decode_page(one_page(kA4, "", corners(595.276, 841.89)));
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->image.width, 1654);
  EXPECT_EQ(page->image.height, 2339);
  EXPECT_EQ(page->pages, 1);
  expect_four_corners(page->image, 0);
}

TEST(Pdf, OfAWholeNumberOfPixelsGetsNoneMore) {
  const auto page = decode_page(one_page("0 0 612 792", "", "0 g"));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->image.width, 1700);
  EXPECT_EQ(page->image.height, 2200);
  EXPECT_EQ(page->image.pixels[0], 255);  // white paper
}

TEST(Pdf, HonoursRotation) {
  DecodeOptions options;
  options.dpi = 72;
  const auto upright = decode_page(one_page("0 0 200 100", "", corners(200, 100)), options);
  const auto turned = decode_page(one_page("0 0 200 100", "/Rotate 90", corners(200, 100)), options);
  ASSERT_TRUE(upright && turned);
  EXPECT_EQ(turned->image.width, 100);
  EXPECT_EQ(turned->image.height, 200);
  expect_four_corners(turn(turned->image, 3), 0);
}

TEST(Pdf, DrawsStampsAndFields) {
  for (std::string_view kind : {"/Subtype /Stamp", "/Subtype /Widget /FT /Tx /T (n) /V (x)"}) {
    const auto pdf =
        pdf_of({"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>",
                "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Annots [4 0 R] >>",
                fmt::format("<< /Type /Annot {} /F 4 /Rect [0 0 100 100] /AP << /N 5 0 R >> >>", kind),
                "<< /Type /XObject /Subtype /Form /BBox [0 0 100 100] /Length 28 >>\nstream\n"
                "1 0 0 rg 0 0 100 100 re f   \nendstream"});
    const auto page = decode_page(pdf);
    ASSERT_TRUE(page) << page.error().message;
    const std::uint8_t* middle = page->image.row(page->image.height / 2) + page->image.width / 2 * 3;
    EXPECT_EQ(middle[0], 255) << kind;
    EXPECT_EQ(middle[1], 0) << kind;
  }
}

TEST(Pdf, OpensWithItsPasswordAlone) {
  const Buffer locked = testdata("locked.pdf");
  const auto without = decode_page(locked);
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().kind, ErrorKind::Unreadable);
  EXPECT_EQ(without.error().code, "pdf_encrypted");
  EXPECT_NE(without.error().message.find("field `password`"), std::string::npos);

  DecodeOptions options;
  options.password = "guess";
  const auto wrong = decode_page(locked, options);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, "pdf_encrypted");
  EXPECT_NE(wrong.error().message, without.error().message);

  options.password = "sheet";
  const auto page = decode_page(locked, options);
  ASSERT_TRUE(page) << page.error().message;
  expect_four_corners(page->image, 0);
}

TEST(Pdf, JudgesThePageBeforeDrawingIt) {
  EXPECT_EQ(error_code(one_page("0 0 1000000 1000000", "", "0 g")), "too_many_pixels");
  EXPECT_EQ(error_code(one_page("0 0 14400 14400", "/UserUnit 100", "0 g")), "too_many_pixels");
  EXPECT_EQ(error_code(one_page("0 0 10000 20", "", "0 g")), "") << "27778 pixels are wide, and allowed";
  EXPECT_EQ(error_code(one_page("0 0 11000 20", "", "0 g")), "too_many_pixels");
}

TEST(Pdf, KnowsItsPages) {
  const auto two =
      pdf_of({"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
              "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>",
              "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 36 72] >>"});
  DecodeOptions options;
  options.page = 1;
  const auto second = decode_page(two, options);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->pages, 2);
  EXPECT_EQ(second->image.width, 100);
  EXPECT_EQ(second->image.height, 200);
  options.page = 2;
  EXPECT_EQ(error_code(two, options), "no_such_page");
  options.page = 0, options.limits.pages = 1;
  EXPECT_EQ(error_code(two, options), "too_many_pages");
}

TEST(Pdf, IsCutIntoItsPages) {
  std::vector<std::string> objects{"<< /Type /Catalog /Pages 2 0 R >>",
                                   "<< /Type /Pages /Kids [3 0 R 4 0 R 5 0 R] /Count 3 >>"};
  for (const int width : {36, 72, 108})
    objects.push_back(fmt::format("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {} 36] >>", width));
  const auto three = pdf_of(objects);
  const auto cut = cut_pages(three, {.first = 1, .last = 2});
  ASSERT_TRUE(cut) << cut.error().message;
  EXPECT_EQ(cut->pages, 3);
  const auto page = decode_page(buffer(cut->document));
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->pages, 2);
  EXPECT_EQ(page->image.width, 200);
  EXPECT_EQ(decode_page(buffer(cut_pages(three, {.first = 2, .last = 99})->document))->image.width, 300);
  EXPECT_EQ(cut_pages(three, {.first = 3, .last = 3}).error().code, "no_such_page");
  EXPECT_EQ(cut_pages(three, {.first = 0, .last = 0, .most_pages = 2}).error().code, "too_many_pages");
  EXPECT_EQ(cut_pages(buffer("%PDF-1.7\nhalf"), {}).error().code, "truncated");
  EXPECT_EQ(cut_pages(buffer("\xFF\xD8\xFF"), {}).error().code, "no_pdf");
  EXPECT_EQ(cut_pages(testdata("locked.pdf"), {}).error().code, "pdf_encrypted");
  const auto open = cut_pages(testdata("locked.pdf"), {.password = "sheet"});
  ASSERT_TRUE(open);
  EXPECT_TRUE(decode_page(buffer(open->document))) << "and needs no password any more";
}

TEST(Pdf, RefusesNonsenseAfterItsMark) {
  EXPECT_EQ(error_code(buffer("%PDF-1.7\nnothing of the kind\n%%EOF\n")), "damaged");
  EXPECT_EQ(error_code(pdf_of({"<< /Type /Catalog >>"})), "damaged");
}

TEST(Pdf, ComesFromSeveralThreadsAtOnce) {
  const Buffer pdf = one_page("0 0 200 100", "", corners(200, 100));
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        const auto page = decode_page(pdf);
        ASSERT_TRUE(page);
        expect_four_corners(page->image, 0);
      }
    });
}

}  // namespace
}  // namespace alcove::imaging
