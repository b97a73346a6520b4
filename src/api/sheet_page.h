#pragma once
// One uploaded page to its reading, and to a picture of it where the browser cannot make one.

#include <functional>
#include <string>

#include "base/bytes.h"
#include "sheets/reader.h"

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

// The first page of a file. Errors are imaging::decode_page()'s and the reader's. Safe from any thread.
Result<PageReading> read_page(sheets::SheetReader& reader, Bytes file, const PageOptions& options);

}  // namespace alcove::api
