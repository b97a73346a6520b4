#pragma once
// A file's bytes to a reading: which page, held which way, and what is to be said about it.

#include "imaging/decoder.h"
#include "sheets/reader.h"

namespace alcove::sheets {

// Pages of a document that are looked at for the cover. More would keep a server busy with a book.
constexpr int kPagesLookedAt = 8;

struct SheetOptions {
  std::string password;     // for encrypted PDFs
  std::optional<int> page;  // from 1; none: the cover, which is the first page with both boxes
  bool as_is = false;  // the first page as it stands, neither turned nor straightened: the original's way
  int register_length = 0;  // digits a register number has; 0: any
};

// Decodes page after page, at most kPagesLookedAt, until one has both boxes, and reads that one; when none
// has, the one on which most was found. Page 1 is all that is ever decoded of a document that begins with its
// cover. Timings are sums over the pages looked at; decoding comes first, the total last. Errors are
// the decoder's. Safe from any thread.
Result<SheetReading> read_sheet(SheetReader& reader, imaging::Decoder& decoder, Bytes file,
                                const SheetOptions& options = {});

// The page that a reading was taken from, as it was read.
Result<imaging::Image> page_of(imaging::Decoder& decoder, Bytes file, const SheetReading& reading,
                               const SheetOptions& options = {});

}  // namespace alcove::sheets
