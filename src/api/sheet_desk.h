#pragma once
// One sheet to what its sender is told, whichever road it came by: alone, in a batch, in a job.

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "api/metrics.h"
#include "api/sheet_page.h"
#include "api/sheet_upload.h"

namespace alcove::api {

struct SheetAnswer {
  int status = 200;
  Json body;           // the contract's reading, or the error as it is answered
  std::string reason;  // the error's code
  std::string server_timing;
  double inference_seconds = 0;  // from the decoded page to its fields
};

// Safe from any thread.
class SheetDesk {
 public:
  SheetDesk(ReadPage read, Metrics& metrics) : read_(std::move(read)), metrics_(metrics) {}

  // Never throws: whatever a sheet does to the code below costs that sheet alone. `request_id` is for the
  // log.
  SheetAnswer read(sheets::SheetReader& reader, const SheetUpload& upload, double queued_seconds,
                   std::string_view request_id) const;
  // The answer for a sheet that did not get as far as being read.
  SheetAnswer refuse(const Error& error) const;

 private:
  Result<PageReading> page(sheets::SheetReader& reader, const SheetUpload& upload,
                           std::string_view request_id) const;

  const ReadPage read_;
  Metrics& metrics_;
};

}  // namespace alcove::api
