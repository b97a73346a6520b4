#include "api/serve_sheets.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "api/server.h"
#include "api/sheet_page.h"
#include "api/sheet_service.h"
#include "base/log.h"
#include "imaging/decode_pool.h"

namespace alcove::api {
namespace {

constexpr std::chrono::milliseconds kLook{50};

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// Jobs are read after their request was answered.
bool is_busy(const SheetSpace& space) { return space.queue().waiting() + space.queue().running() > 0; }

// Waits for the first signal, lets the sheets in hand finish, and stops the server. A second signal, or a
// load of models that cannot be interrupted, ends the process without further ado.
void leave_in_order(SheetSpace& space, std::chrono::seconds limit, const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  log(LogLevel::Info, "stopping", {{"in_flight", static_cast<long long>(requests_in_flight())}});
  space.drain();
  const auto end = std::chrono::steady_clock::now() + limit;
  const timespec look{0, std::chrono::nanoseconds(kLook).count()};
  do {
    if (sigtimedwait(&signals, nullptr, &look) > 0) {
      log(LogLevel::Warning, "stopped_at_once");
      _exit(128 + signal);
    }
  } while ((requests_in_flight() > 0 || is_busy(space)) && std::chrono::steady_clock::now() < end);
  stop_server();
}

Result<std::shared_ptr<sheets::SheetReader>> load_reader(const sheets::ReaderSettings& settings) {
  return std::shared_ptr<sheets::SheetReader>(TRY(sheets::SheetReader::load(settings)));
}

}  // namespace

Result<void> serve_answer_sheet(const ServeSettings& settings) {
  // Blocked before any thread starts, so that every thread inherits it and one alone receives them.
  const auto signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A client that hangs up must not end the server.
  std::signal(SIGPIPE, SIG_IGN);

  auto reader = settings.reader;
  reader.engine.requests = settings.workers;
  SheetSpace space({.models = settings.reader.models, .workers = settings.workers, .queue = settings.queue},
                   [reader] { return load_reader(reader); });
  const auto pool = std::make_shared<imaging::DecodePool>(imaging::PoolSettings{.workers = settings.workers});
  SheetService service({.door = {settings.tokens, settings.guard_metrics},
                        .body_limit = settings.body_limit,
                        .decode_workers = [pool] { return pool->status(); }},
                       space, read_page_with(pool, settings.sheet));
  const ServerSettings server{.host = settings.host == "localhost" ? "127.0.0.1" : settings.host,
                              .port = settings.port,
                              .body_limit = settings.body_limit,
                              .upload_memory = settings.upload_memory,
                              .upload_time = settings.upload_time,
                              .idle_time = settings.idle_time,
                              .allowed_origins = settings.allowed_origins};
  std::thread leaving;
  TRY(run_server(server, service, [&](int port) {
    log(LogLevel::Info, "listening", {{"host", settings.host}, {"port", static_cast<long long>(port)}});
    space.start();
    leaving = std::thread([&] { leave_in_order(space, settings.drain, signals); });
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
