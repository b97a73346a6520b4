#include "api/serve_sheets.h"

#include <fmt/format.h>
#include <unistd.h>

#include <thread>

#include "api/sheet_page.h"
#include "api/sheet_service.h"
#include "api/sheet_space.h"
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

Result<void> serve_answer_sheet(const SheetProcess& process) {
  const auto signals = block_stop_signals();

  auto reader = process.reader;
  reader.engine.requests = process.workers;
  SheetSpace space({.models = process.reader.models,
                    .workers = process.workers,
                    .queue = process.queue,
                    .idle_unload = process.idle_unload},
                   [reader] { return load_reader(reader); });
  const auto pool = std::make_shared<imaging::DecodePool>(imaging::PoolSettings{.workers = process.workers});
  SheetService service({.door = process.door,
                        .body_limit = process.server.body_limit,
                        .decode_workers = [pool] { return pool->status(); }},
                       space, read_page_with(pool, process.sheet));
  std::thread leaving;
  TRY(run_server(process.server, service, [&](int port) {
    log(LogLevel::Info, "listening", {{"host", process.server.host}, {"port", static_cast<long long>(port)}});
    space.start();
    leaving = std::thread([&] {
      wait_for_stop(signals, process.idle_exit, [&] { return is_busy(space); });
      space.drain();
      finish_or_stop(signals, process.drain, [&] { return requests_in_flight() > 0 || is_busy(space); });
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
