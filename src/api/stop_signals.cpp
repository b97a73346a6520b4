#include "api/stop_signals.h"

#include <pthread.h>
#include <unistd.h>

#include "api/idleness.h"
#include "api/server.h"
#include "base/log.h"

namespace alcove::api {
namespace {

constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::milliseconds kIdleLook{250};

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

void wait_for_stop(const sigset_t& signals, std::chrono::seconds idle_exit,
                   const std::function<bool()>& busy) {
  const timespec look{0, std::chrono::nanoseconds(kIdleLook).count()};
  bool idle = false;
  if (idle_exit.count() == 0) {
    int signal = 0;
    sigwait(&signals, &signal);
  } else {
    since_last_call().note_use();  // the start is a beginning, too
    while (!idle && sigtimedwait(&signals, nullptr, &look) < 0)
      idle = since_last_call().length() >= idle_exit && requests_in_flight() == 0 && !busy();
  }
  log(LogLevel::Info, idle ? "idle_exit" : "stopping",
      {{"in_flight", static_cast<long long>(requests_in_flight())}});
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
