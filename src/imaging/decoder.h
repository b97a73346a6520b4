#pragma once
// Where the pages of foreign files are opened: in this process, or in children that a file may do with what
// it likes (imaging/decode_pool.h).

#include "imaging/decode.h"

namespace alcove::imaging {

class Decoder {
 public:
  virtual ~Decoder() = default;

  // One page, and how many there are in all: asking for page 0 is how to find that out. Errors are
  // decode_page()'s, and those of a pool. Safe from any thread.
  virtual Result<Page> page(Bytes file, const DecodeOptions& options = {}) = 0;
};

// decode_page() itself: for tests, and for files one wrote oneself.
class LocalDecoder final : public Decoder {
 public:
  Result<Page> page(Bytes file, const DecodeOptions& options) override { return decode_page(file, options); }
};

}  // namespace alcove::imaging
