#include "gateway/matching_keeper.h"

#include <chrono>

#include "base/log.h"

namespace alcove::gateway {
namespace {

constexpr std::chrono::milliseconds kLook{250};

}  // namespace

MatchingKeeper::MatchingKeeper(Matching matching)
    : matching_(std::move(matching)), thread_([this](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          look();
          std::unique_lock lock(mutex_);
          stopped_.wait_for(lock, stop, kLook, [] { return false; });
        }
        look();
      }) {}

MatchingKeeper::~MatchingKeeper() = default;

void MatchingKeeper::look() {
  const auto written = matching_.update_all();
  // The next look tries again.
  if (!written) log(LogLevel::Warning, "matching_failed", {{"error", written.error().message}});
  if (written && *written > 0)
    log(LogLevel::Info, "records_judged", {{"count", static_cast<long long>(*written)}});
}

}  // namespace alcove::gateway
