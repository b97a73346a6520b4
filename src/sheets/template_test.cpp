#include "sheets/template.h"

#include <gtest/gtest.h>

#include "imaging/decode.h"

namespace alcove::sheets {
namespace {

// The tests' program lies far from PDFium.
const bool kPdfiumIsNamed = setenv("ALCOVE_PDFIUM", ALCOVE_PDFIUM_RUNTIME, /*overwrite*/ 0) == 0;

constexpr double kPixels = 200 / 25.4;  // in a millimetre

imaging::Image rendered(const PaperSize& paper) {
  const auto pdf = template_pdf(paper);
  const auto page = imaging::decode_page(as_bytes(pdf));
  EXPECT_TRUE(page) << page.error().message;
  return page ? page->image : imaging::make_image(1, 1, 3);
}

class Template : public testing::TestWithParam<PaperSize> {};

TEST_P(Template, HasBothBoxesWhereItSays) {
  const auto page = rendered(GetParam());
  EXPECT_NEAR(page.width, GetParam().width * kPixels, 1);
  EXPECT_NEAR(page.height, GetParam().height * kPixels, 1);
  const auto places = template_places();
  for (const auto& place : {places.register_number, places.subject_code}) {
    EXPECT_LT(place.left + place.width, GetParam().width - 10);
    const auto grey = [&](double across, double down) {  // shares of the box
      const auto x = static_cast<int>((place.left + across * place.width) * kPixels);
      const auto y = static_cast<int>((place.top + down * place.height) * kPixels);
      return page.row(y)[x * 3];
    };
    for (const double share : {0.03, 0.3, 0.97}) {
      EXPECT_LT(grey(share, 0), 80) << "upper edge";
      EXPECT_LT(grey(share, 1), 80) << "lower edge";
      EXPECT_LT(grey(0, share), 80) << "left edge";
      EXPECT_LT(grey(1, share), 80) << "right edge";
    }
    for (double across = 0.02; across < 0.98; across += 0.001)
      EXPECT_GT(grey(across, 0.5), 170) << "nothing in it but pale guides";
  }
}

INSTANTIATE_TEST_SUITE_P(Papers, Template, testing::Values(kA4, kLetter));

TEST(TemplatePlaces, HaveTheShapeOfTheReadersInputs) {
  const auto places = template_places();
  const double rim = 20 / kPixels;
  const auto shape = [&](const Place& place) { return (place.width + rim) / (place.height + rim); };
  EXPECT_NEAR(shape(places.register_number), 256.0 / 32, 1e-6);
  EXPECT_NEAR(shape(places.subject_code), 128.0 / 32, 1e-6);
}

}  // namespace
}  // namespace alcove::sheets
