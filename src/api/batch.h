#pragma once
// Reads the files of one upload on the workers, and hands each result on as soon as it is there.

#include <memory>

#include "api/batch_upload.h"
#include "api/sheet_space.h"

namespace alcove::api {

class SheetDesk;

// Where results go. Called from several workers at once.
class BatchSink {
 public:
  virtual ~BatchSink() = default;
  virtual bool wanted() = 0;                  // false: nobody waits for the rest
  virtual void result(const Json& line) = 0;  // {index, file, status, …} and the reading or the error
  virtual void end() = 0;                     // after the last result, once
};

// From a worker: starts to read `upload`, as many files at once as there are workers. After each file the
// batch goes to the end of the line, so that a single sheet never waits for more than one sheet of each
// batch.
void read_batch(SheetSpace& space, const SheetDesk& desk, std::shared_ptr<const BatchUpload> upload,
                std::shared_ptr<BatchSink> sink);

}  // namespace alcove::api
