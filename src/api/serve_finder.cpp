#include "api/serve_finder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <thread>

#include "api/finder_service.h"
#include "api/stop_signals.h"
#include "base/log.h"

namespace alcove::api {

Result<void> serve_paper_finder(const FinderProcess& process, LoadEmbedder load) {
  const auto signals = block_stop_signals();
  FinderSpace space(process.finder, std::move(load));
  FinderService service(process.door, space);
  const auto is_busy = [&] {
    return requests_in_flight() > 0 || space.queue().waiting() + space.queue().running() > 0;
  };
  auto server = process.server;
  server.body_limit = kChromaBodyLimit;
  std::thread leaving;
  TRY(run_server(server, service, [&](int port) {
    log(LogLevel::Info, "serving", {{"host", server.host}, {"port", static_cast<long long>(port)}});
    space.start(fmt::format("{}:{}", server.host, port));
    leaving = std::thread([&] {
      wait_for_stop(signals);
      space.drain();
      finish_or_stop(signals, process.drain, is_busy);
      stop_server();
    });
  }));
  leaving.join();
  log(LogLevel::Info, "stopped");
  // A load cannot be interrupted; nobody waits for it.
  if (is_busy() || space.state().phase == FinderSpace::Phase::Loading) _exit(0);
  return {};
}

}  // namespace alcove::api
