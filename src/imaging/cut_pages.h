#pragma once
// Some pages of a PDF as a PDF of their own. A stranger's bytes go through imaging/decode_pool.h, which calls
// this in a child.

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace alcove::imaging {

// Pages first..last of a PDF, zero-based, as a PDF of their own, nothing drawn anew. It is never locked.
struct CutOptions {
  int first = 0, last = 0;
  std::string password;
  int most_pages = 500;  // of the whole document
};
struct Cut {
  std::string document;
  int pages = 1;  // of the whole document
};
// As decode_page(), for PDFs alone; Unsupported for anything else. `last` beyond the end is the end.
Result<Cut> cut_pages(Bytes bytes, const CutOptions& options);

}  // namespace alcove::imaging
