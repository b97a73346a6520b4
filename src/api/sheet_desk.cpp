#include "api/sheet_desk.h"

#include <fmt/format.h>

#include <exception>
#include <iterator>
#include <nlohmann/json.hpp>

#include "api/sheet_json.h"
#include "api/status.h"
#include "base/base64.h"
#include "base/log.h"
#include "imaging/decode.h"

namespace alcove::api {
namespace {

// The contract's rule: content that is recognised wins over any name; what is not recognised is unreadable
// under a name that promises a sheet, and a mistake of the caller under any other.
Error judged_by_name(Error error, const std::string& file_name) {
  if (error.code != "unknown_format" && error.code != "empty_file") return error;
  if (!imaging::is_listed_extension(file_name)) error.kind = ErrorKind::BadInput;
  return error;
}

}  // namespace

Result<PageReading> SheetDesk::page(sheets::SheetReader& reader, const SheetUpload& upload,
                                    std::string_view request_id) const {
  // The folders below turn their libraries' exceptions into errors; memory may run out anywhere.
  try {
    return read_(reader, upload.file(), {.password = upload.password, .preview = upload.preview});
  } catch (const std::exception& error) {
    log(LogLevel::Error, "read_failed",
        {{"id", std::string(request_id)}, {"error", std::string(error.what())}});
    return fail(ErrorKind::Internal, "the sheet could not be read; the server's log says why");
  }
}

SheetAnswer SheetDesk::refuse(const Error& error) const {
  metrics_.count_sheet(code_of(error));
  return {
      .status = http_status(error.kind), .body = error_json(error), .reason = std::string(code_of(error))};
}

SheetAnswer SheetDesk::read(sheets::SheetReader& reader, const SheetUpload& upload, double queued_seconds,
                            std::string_view request_id) const {
  const auto read = page(reader, upload, request_id);
  if (!read) return refuse(judged_by_name(read.error(), upload.file_name));
  SheetAnswer answer{.body = to_json(read->reading, reader.models(),
                                     upload.posteriors ? Detail::WithPosteriors : Detail::Contract)};
  if (!upload.exam_type.empty()) answer.body["exam_type"] = upload.exam_type;
  if (!read->preview.empty())
    answer.body["preview"] = "data:image/jpeg;base64," + encode_base64(read->preview);

  metrics_.count_sheet("ok");
  metrics_.add_stage("queue", queued_seconds);
  answer.server_timing = fmt::format("queue;dur={:.2f}", queued_seconds * 1e3);
  for (const auto& stage : read->reading.timings) {
    metrics_.add_stage(stage.name, stage.milliseconds / 1e3);
    fmt::format_to(std::back_inserter(answer.server_timing), ", {};dur={:.2f}", stage.name,
                   stage.milliseconds);
    if (stage.name == "total") answer.inference_seconds += stage.milliseconds / 1e3;
    if (stage.name == "decode") answer.inference_seconds -= stage.milliseconds / 1e3;
  }
  return answer;
}

}  // namespace alcove::api
