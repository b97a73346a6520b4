#pragma once
// The reader of `alcove serve answer-sheet` inside another program: models and engine are opened with the
// first sheet.

#include <memory>
#include <mutex>

#include "gateway/readers.h"
#include "sheets/pipeline.h"
#include "sheets/reader.h"

namespace alcove::imaging {
class DecodePool;
}

namespace alcove::api {

// Safe from any thread.
class LocalReader {
 public:
  LocalReader(sheets::ReaderSettings reader, sheets::SheetOptions sheet);
  ~LocalReader();

  // As gateway::ReadHere: the contract's JSON, or the decoder's error; Unavailable when the models cannot be
  // used. A load that failed is tried again with a later sheet.
  Result<std::string> read(const gateway::SheetToRead& sheet);

 private:
  struct Loaded {
    std::shared_ptr<sheets::SheetReader> reader;
    std::shared_ptr<imaging::DecodePool> decoder;
  };
  Result<Loaded> loaded();

  const sheets::ReaderSettings reader_;
  const sheets::SheetOptions sheet_;
  std::mutex mutex_;  // held while the models load: whoever comes meanwhile waits for them
  Loaded loaded_;
};

}  // namespace alcove::api
