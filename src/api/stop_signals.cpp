#include "api/stop_signals.h"

#include <pthread.h>
#include <unistd.h>

#include "api/server.h"
#include "base/log.h"

namespace alcove::api {
namespace {

constexpr std::chrono::milliseconds kLook{50};

}  // namespace

sigset_t block_stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return set;
}

void wait_for_stop(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  log(LogLevel::Info, "stopping", {{"in_flight", static_cast<long long>(requests_in_flight())}});
}

void finish_or_stop(const sigset_t& signals, std::chrono::milliseconds limit,
                    const std::function<bool()>& busy) {
  const auto end = std::chrono::steady_clock::now() + limit;
  const timespec look{0, std::chrono::nanoseconds(kLook).count()};
  do {
    const int signal = sigtimedwait(&signals, nullptr, &look);
    if (signal > 0) {
      log(LogLevel::Warning, "stopped_at_once");
      _exit(128 + signal);
    }
  } while (busy() && std::chrono::steady_clock::now() < end);
}

}  // namespace alcove::api
