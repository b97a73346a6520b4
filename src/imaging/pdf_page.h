#pragma once
// A PDF of one page, written by us: rectangles, lines and Helvetica. Pure; safe from any thread.

#include <span>
#include <string>
#include <string_view>

namespace alcove::imaging {

// Lengths are millimetres from the page's top left corner, greys 0 (black) to 1 (white).
class PdfPage {
 public:
  PdfPage(double width, double height) : width_(width), height_(height) {}

  // In black; the line's middle lies on the edge.
  void rectangle(double left, double top, double width, double height, double line);
  void line(double left, double top, double right, double bottom, double width, double grey = 0);
  // `baseline` is where the letters stand; `size` in points. Printable ASCII, anything else becomes `?`.
  // Helvetica is one of the fonts that every reader of PDF has.
  void text(double left, double baseline, double size, std::string_view words, bool bold = false);

  std::string file() const;  // the whole document

 private:
  double width_, height_;
  std::string content_;
};

// Objects 1, 2, … as a document; the first is its catalogue.
std::string pdf_document(std::span<const std::string> objects);

}  // namespace alcove::imaging
