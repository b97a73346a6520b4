#include "api/serve_finder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "api/finder_service.h"
#include "api/stop_signals.h"
#include "base/log.h"

namespace alcove::api {

namespace {

namespace fs = std::filesystem;

// Says where the server is as long as it is there. A folder that cannot be written goes without.
class AddressNote {
 public:
  ~AddressNote() {
    std::error_code ignored;
    if (!file_.empty()) fs::remove(file_, ignored);
  }
  void write(const fs::path& folder, const std::string& host, int port) {
    file_ = folder / kAddressFile;
    const bool every = host == "0.0.0.0" || host == "::";
    const bool v6 = !every && host.find(':') != std::string::npos;
    std::ofstream(file_) << fmt::format("http://{}:{}\n",
                                        every ? "127.0.0.1"
                                        : v6  ? '[' + host + ']'
                                              : host,
                                        port);
  }

 private:
  fs::path file_;
};

}  // namespace

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
  AddressNote note;
  TRY(run_server(server, service, [&](int port) {
    log(LogLevel::Info, "serving", {{"host", server.host}, {"port", static_cast<long long>(port)}});
    note.write(process.finder.indexer.data, server.host, port);
    space.start(fmt::format("{}:{}", server.host, port));
    leaving = std::thread([&] {
      wait_for_stop(signals, process.idle_exit, is_busy);
      space.drain();
      finish_or_stop(signals, process.drain, is_busy);
      stop_server();
    });
  }));
  leaving.join();
  space.finish();
  log(LogLevel::Info, "stopped");
  // A load cannot be interrupted; nobody waits for it.
  if (is_busy() || space.state().phase == FinderSpace::Phase::Loading) _exit(0);
  return {};
}

}  // namespace alcove::api
