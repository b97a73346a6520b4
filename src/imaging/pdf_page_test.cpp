#include "imaging/pdf_page.h"

#include <gtest/gtest.h>

#include "imaging/testing.h"

namespace alcove::imaging {
namespace {

constexpr double kPixels = 200 / 25.4;  // in a millimetre, as pages are rendered

Image rendered(const PdfPage& page) {
  const auto decoded = decode_page(buffer(page.file()));
  EXPECT_TRUE(decoded) << decoded.error().message;
  return decoded ? decoded->image : make_image(1, 1, 3);
}

int grey(const Image& page, double x, double y) {
  return page.row(static_cast<int>(y * kPixels))[static_cast<int>(x * kPixels) * 3];
}

TEST(PdfPage, HasTheSizeItIsGiven) {
  const auto page = rendered(PdfPage(210, 297));
  EXPECT_EQ(page.width, 1654);
  EXPECT_EQ(page.height, 2339);
  EXPECT_EQ(grey(page, 100, 100), 255) << "and is empty";
}

TEST(PdfPage, DrawsWhereItIsTold) {
  PdfPage page(100, 80);
  page.rectangle(20, 10, 30, 15, 1);
  page.line(60, 70, 90, 70, 1, 0.5);
  const auto picture = rendered(page);
  for (const auto& [x, y] : {std::pair{35, 10}, {35, 25}, {20, 17}, {50, 17}})
    EXPECT_LT(grey(picture, x, y), 40) << x << ' ' << y;
  EXPECT_EQ(grey(picture, 35, 17), 255) << "inside";
  EXPECT_NEAR(grey(picture, 75, 70), 128, 12);
  EXPECT_EQ(grey(picture, 75, 12), 255);
}

TEST(PdfPage, WritesAnyText) {
  PdfPage page(100, 40);
  page.text(10, 20, 24, "(a) \\ )b( \xC3\xA9");
  const auto picture = rendered(page);
  int dark = 0;
  for (double x = 10; x < 60; x += 0.2)
    for (double y = 12; y < 20; y += 0.2) dark += grey(picture, x, y) < 100;
  EXPECT_GT(dark, 200);
}

}  // namespace
}  // namespace alcove::imaging
