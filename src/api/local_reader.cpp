#include "api/local_reader.h"

#include <exception>
#include <nlohmann/json.hpp>

#include "api/sheet_json.h"
#include "base/log.h"
#include "imaging/decode_pool.h"

namespace alcove::api {

LocalReader::LocalReader(sheets::ReaderSettings reader, sheets::SheetOptions sheet)
    : reader_(std::move(reader)), sheet_(std::move(sheet)) {}
LocalReader::~LocalReader() = default;

Result<LocalReader::Loaded> LocalReader::loaded() {
  const std::lock_guard lock(mutex_);
  if (loaded_.reader) return loaded_;
  auto reader = sheets::SheetReader::load(reader_);
  if (!reader) {
    log(LogLevel::Error, "models_failed", {{"error", reader.error().message}});
    return fail(ErrorKind::Unavailable, reader.error().message, "models_failed");
  }
  loaded_.decoder =
      std::make_shared<imaging::DecodePool>(imaging::PoolSettings{.workers = reader_.engine.requests});
  loaded_.reader = *std::move(reader);
  return loaded_;
}

Result<std::string> LocalReader::read(const gateway::SheetToRead& sheet) {
  const auto use = TRY(loaded());
  auto options = sheet_;
  options.password = sheet.password;
  // The folders below turn their libraries' exceptions into errors; memory may run out anywhere.
  try {
    const auto reading = TRY(sheets::read_sheet(*use.reader, *use.decoder, sheet.content, options));
    return to_text(to_json(reading, use.reader->models(), Detail::WithPosteriors));
  } catch (const std::exception& error) {
    log(LogLevel::Error, "read_failed", {{"uuid", sheet.uuid}, {"error", std::string(error.what())}});
    return fail(ErrorKind::Internal, "the sheet could not be read here; the log says why");
  }
}

}  // namespace alcove::api
