#pragma once
// One uploaded page to its reading, and to a picture of it where the browser cannot make one.

#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "sheets/pipeline.h"

namespace alcove::api {

struct PageOptions {
  std::string password;  // for encrypted PDFs
  bool preview = false;
};
struct PageReading {
  sheets::SheetReading reading;
  std::string preview;  // the page as it was read, JPEG, at most 1600 pixels a side; empty unless asked for
};
// The seam that tests put another reader behind.
using ReadPage = std::function<Result<PageReading>(sheets::SheetReader&, Bytes, const PageOptions&)>;

// The seam filled: sheets::read_sheet() with `defaults`, and what a request asks for beside them.
ReadPage read_page_with(std::shared_ptr<imaging::Decoder> decoder, sheets::SheetOptions defaults);

}  // namespace alcove::api
