#pragma once
// For tests: small PDFs from their objects.

#include <fmt/format.h>

#include <string>
#include <vector>

#include "imaging/testing.h"

namespace alcove::imaging {

// A document of objects 1, 2, …; the first is its catalogue.
inline Buffer pdf_of(const std::vector<std::string>& objects) {
  std::string file = "%PDF-1.4\n", table;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    table += fmt::format("{:010} 00000 n \n", file.size());
    file += fmt::format("{} 0 obj\n{}\nendobj\n", i + 1, objects[i]);
  }
  const auto start = file.size();
  file += fmt::format(
      "xref\n0 {0}\n0000000000 65535 f \n{1}trailer\n<< /Size {0} /Root 1 0 R >>\nstartxref\n{2}\n%%EOF\n",
      objects.size() + 1, table, start);
  return buffer(file);
}

inline Buffer one_page(std::string_view box, std::string_view more, const std::string& content) {
  return pdf_of({"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                 fmt::format("<< /Type /Page /Parent 2 0 R /MediaBox [{}] {} /Contents 4 0 R >>", box, more),
                 fmt::format("<< /Length {} >>\nstream\n{}\nendstream", content.size(), content)});
}

}  // namespace alcove::imaging
