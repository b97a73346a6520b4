#pragma once
// A cover page to print, fill in and read.

#include <string>

namespace alcove::sheets {

struct PaperSize {
  double width = 210, height = 297;  // millimetres
};
constexpr PaperSize kA4{210, 297};
constexpr PaperSize kLetter{215.9, 279.4};

struct Place {  // millimetres from the page's top left corner
  double left = 0, top = 0, width = 0, height = 0;
};

// Where candidates write. With the 10 pixels around them that the readers are shown at 200 dpi, the boxes
// have the shape of the readers' inputs, 8 to 1 and 4 to 1, so that no digit is squeezed.
struct TemplatePlaces {
  Place register_number, subject_code;
};
TemplatePlaces template_places();  // the same on every paper

// The form as a PDF of one page.
std::string template_pdf(const PaperSize& paper);

}  // namespace alcove::sheets
