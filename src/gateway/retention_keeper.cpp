#include "gateway/retention_keeper.h"

#include <algorithm>

#include "base/log.h"
#include "gateway/clock.h"

namespace alcove::gateway {
namespace {

constexpr std::chrono::seconds kAgain{60};

}  // namespace

RetentionKeeper::RetentionKeeper(Retention retention, std::chrono::seconds period)
    : retention_(std::move(retention)), thread_([this, period](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          const auto pause = purge() ? period : std::min(period, kAgain);
          std::unique_lock lock(mutex_);
          stopped_.wait_for(lock, stop, pause, [] { return false; });
        }
      }) {}

bool RetentionKeeper::purge() {
  const auto gone = retention_.purge(now_ms(), "timer");
  if (!gone) log(LogLevel::Error, "purge_failed", {{"error", gone.error().message}});
  if (gone) log(LogLevel::Info, "purged", {{"sheets", static_cast<long long>(*gone)}});
  return gone.has_value();
}

}  // namespace alcove::gateway
