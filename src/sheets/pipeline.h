#pragma once
// A file's bytes to a reading.

#include "imaging/decode.h"
#include "sheets/reader.h"

namespace alcove::sheets {

// Decodes page `options.page` and reads it. The time of decoding comes first in the reading's timings, the
// total last. Errors are decode_page()'s. Safe from any thread.
Result<SheetReading> read_sheet(SheetReader& reader, Bytes file, const imaging::DecodeOptions& options = {});

}  // namespace alcove::sheets
