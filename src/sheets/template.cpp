#include "sheets/template.h"

#include <string_view>

#include "imaging/pdf_page.h"
#include "imaging/reader_margin.h"

namespace alcove::sheets {
namespace {

constexpr double kMargin = 18;
constexpr double kBoxHeight = 12;
constexpr double kRim = 2 * imaging::kReaderMargin * 25.4 / 200;  // around a box, at 200 dpi
constexpr double kCaptionWidth = 48;
constexpr double kRegisterTop = 62, kSubjectTop = 86;
constexpr int kRegisterCells = 12, kSubjectCells = 8;

// A box of this height that has the shape of a reader's input.
double width_for(double width_to_height) { return width_to_height * (kBoxHeight + kRim) - kRim; }

// A frame in black, with guides so pale that a reader does not take them for strokes.
void write_box(imaging::PdfPage& page, const Place& box, std::string_view caption, int cells) {
  page.text(kMargin, box.top + 0.62 * box.height, 11, caption, /*bold=*/true);
  for (int i = 1; i < cells; ++i) {
    const double x = box.left + box.width * i / cells;
    page.line(x, box.top, x, box.top + box.height, 0.15, 0.8);
  }
  page.rectangle(box.left, box.top, box.width, box.height, 0.4);
}

}  // namespace

TemplatePlaces template_places() {
  const double left = kMargin + kCaptionWidth;
  return {.register_number = {left, kRegisterTop, width_for(8), kBoxHeight},
          .subject_code = {left, kSubjectTop, width_for(4), kBoxHeight}};
}

std::string template_pdf(const PaperSize& paper) {
  imaging::PdfPage page(paper.width, paper.height);
  const double right = paper.width - kMargin;
  page.text(kMargin, 26, 20, "ANSWER SHEET", true);
  page.text(kMargin, 34, 10,
            "Fill in both boxes with a dark pen, in capitals, one symbol between two guides.");
  page.line(kMargin, 40, right, 40, 0.5);
  page.text(kMargin, 52, 12, "Particulars of the candidate", true);

  const auto places = template_places();
  write_box(page, places.register_number, "REGISTER NUMBER", kRegisterCells);
  write_box(page, places.subject_code, "SUBJECT CODE", kSubjectCells);

  double y = 120;
  for (const std::string_view caption : {"Name", "Date", "Room"}) {
    page.text(kMargin, y, 11, caption);
    page.line(kMargin + kCaptionWidth, y + 1, right, y + 1, 0.2);
    y += 14;
  }
  page.line(kMargin, y, right, y, 0.5);
  y += 10;
  page.text(kMargin, y, 11, "Answers", true);
  for (y += 12; y < paper.height - 34; y += 9) page.line(kMargin, y, right, y, 0.15, 0.6);
  page.text(
      kMargin, paper.height - 20, 9,
      "To read this sheet: scan it at 200 dpi, or lay it flat, hold the camera above it and let it focus.");
  page.text(kMargin, paper.height - 15, 9, "Keep all four corners in the picture.");
  return page.file();
}

}  // namespace alcove::sheets
