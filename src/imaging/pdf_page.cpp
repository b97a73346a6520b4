// ISO 32000-1: 7.5 file structure, 8.4 and 8.5 graphics, 9.6.2.2 the standard fonts.

#include "imaging/pdf_page.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace alcove::imaging {
namespace {

constexpr double kPoints = 72 / 25.4;  // in a millimetre

}  // namespace

// PDF counts upwards from the bottom.
void PdfPage::rectangle(double left, double top, double width, double height, double line) {
  fmt::format_to(std::back_inserter(content_), "{:.3f} w 0 G {:.3f} {:.3f} {:.3f} {:.3f} re S\n",
                 line * kPoints, left * kPoints, (height_ - top - height) * kPoints, width * kPoints,
                 height * kPoints);
}

void PdfPage::line(double left, double top, double right, double bottom, double width, double grey) {
  fmt::format_to(std::back_inserter(content_), "{:.3f} w {:.2f} G {:.3f} {:.3f} m {:.3f} {:.3f} l S\n",
                 width * kPoints, grey, left * kPoints, (height_ - top) * kPoints, right * kPoints,
                 (height_ - bottom) * kPoints);
}

void PdfPage::text(double left, double baseline, double size, std::string_view words, bool bold) {
  std::string escaped;
  for (const char letter : words) {
    if (letter == '(' || letter == ')' || letter == '\\') escaped += '\\';
    escaped += letter >= ' ' && letter <= '~' ? letter : '?';
  }
  fmt::format_to(std::back_inserter(content_), "BT /{} {:.2f} Tf {:.3f} {:.3f} Td ({}) Tj ET\n",
                 bold ? "Bold" : "Plain", size, left * kPoints, (height_ - baseline) * kPoints, escaped);
}

std::string PdfPage::file() const {
  const std::array objects{
      std::string("<< /Type /Catalog /Pages 2 0 R >>"),
      std::string("<< /Type /Pages /Kids [3 0 R] /Count 1 >>"),
      fmt::format("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {:.3f} {:.3f}] /Contents 6 0 R "
                  "/Resources << /Font << /Plain 4 0 R /Bold 5 0 R >> >> >>",
                  width_ * kPoints, height_ * kPoints),
      std::string("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"),
      std::string("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>"),
      fmt::format("<< /Length {} >>\nstream\n{}\nendstream", content_.size(), content_),
  };
  return pdf_document(objects);
}

std::string pdf_document(std::span<const std::string> objects) {
  std::string file = "%PDF-1.4\n", table;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    fmt::format_to(std::back_inserter(table), "{:010} 00000 n \n", file.size());
    fmt::format_to(std::back_inserter(file), "{} 0 obj\n{}\nendobj\n", i + 1, objects[i]);
  }
  const auto start = file.size();
  fmt::format_to(std::back_inserter(file),
                 "xref\n0 {0}\n0000000000 65535 f \n{1}trailer\n<< /Size {0} /Root 1 0 R >>\nstartxref\n{2}\n"
                 "%%EOF\n",
                 objects.size() + 1, table, start);
  return file;
}

}  // namespace alcove::imaging
