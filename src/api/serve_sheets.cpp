#include "api/serve_sheets.h"

#include <fmt/format.h>
#include <unistd.h>

#include <thread>

#include "api/sheet_page.h"
#include "api/sheet_service.h"
#include "api/stop_signals.h"
#include "base/log.h"
#include "imaging/decode_pool.h"

namespace alcove::api {
namespace {

// Jobs are read after their request was answered.
bool is_busy(const SheetSpace& space) { return space.queue().waiting() + space.queue().running() > 0; }

Result<std::shared_ptr<sheets::SheetReader>> load_reader(const sheets::ReaderSettings& settings) {
  return std::shared_ptr<sheets::SheetReader>(TRY(sheets::SheetReader::load(settings)));
}

}  // namespace

ServerSettings server_settings(const ServeSettings& settings) {
  return {.host = settings.host == "localhost" ? "127.0.0.1" : settings.host,
          .port = settings.port,
          .body_limit = settings.body_limit,
          .upload_memory = settings.upload_memory,
          .upload_time = settings.upload_time,
          .idle_time = settings.idle_time,
          .allowed_origins = settings.allowed_origins};
}

Result<void> serve_answer_sheet(const ServeSettings& settings) {
  const auto signals = block_stop_signals();

  auto reader = settings.reader;
  reader.engine.requests = settings.workers;
  SheetSpace space({.models = settings.reader.models, .workers = settings.workers, .queue = settings.queue},
                   [reader] { return load_reader(reader); });
  const auto pool = std::make_shared<imaging::DecodePool>(imaging::PoolSettings{.workers = settings.workers});
  SheetService service({.door = {settings.tokens, settings.guard_metrics},
                        .body_limit = settings.body_limit,
                        .decode_workers = [pool] { return pool->status(); }},
                       space, read_page_with(pool, settings.sheet));
  const auto server = server_settings(settings);
  std::thread leaving;
  TRY(run_server(server, service, [&](int port) {
    log(LogLevel::Info, "listening", {{"host", settings.host}, {"port", static_cast<long long>(port)}});
    space.start();
    leaving = std::thread([&] {
      wait_for_stop(signals);
      space.drain();
      finish_or_stop(signals, settings.drain, [&] { return requests_in_flight() > 0 || is_busy(space); });
      stop_server();
    });
  }));
  leaving.join();
  log(LogLevel::Info, "stopped");
  // A load cannot be interrupted, nor can a sheet that took longer than it was given; nobody waits for
  // either.
  if (requests_in_flight() > 0 || is_busy(space) || space.state().phase == SheetSpace::Phase::Loading)
    _exit(0);
  return {};
}

}  // namespace alcove::api
