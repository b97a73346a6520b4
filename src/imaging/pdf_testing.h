#pragma once
// For tests: small PDFs from their objects.

#include <fmt/format.h>

#include <string>
#include <vector>

#include "imaging/pdf_page.h"
#include "imaging/testing.h"

namespace alcove::imaging {

inline Buffer pdf_of(const std::vector<std::string>& objects) { return buffer(pdf_document(objects)); }

inline Buffer one_page(std::string_view box, std::string_view more, const std::string& content) {
  return pdf_of({"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                 fmt::format("<< /Type /Page /Parent 2 0 R /MediaBox [{}] {} /Contents 4 0 R >>", box, more),
                 fmt::format("<< /Length {} >>\nstream\n{}\nendstream", content.size(), content)});
}

}  // namespace alcove::imaging
