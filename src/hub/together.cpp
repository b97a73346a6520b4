#include "hub/together.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

namespace alcove::hub {

Result<void> run_together(const std::vector<Task>& tasks, std::size_t at_once,
                          const std::stop_token& outside) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::optional<Error> first;
  std::stop_source stop;
  const std::stop_callback from_outside(outside, [&] { stop.request_stop(); });
  const auto work = [&] {
    for (auto i = next++; i < tasks.size() && !stop.stop_requested(); i = next++) {
      const auto done = tasks[i](stop.get_token());
      if (done) continue;
      const std::scoped_lock lock(mutex);
      if (!first) first = done.error();
      stop.request_stop();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::min(at_once, tasks.size()); ++i) threads.emplace_back(work);
  }
  if (first) return std::unexpected(*first);
  if (outside.stop_requested()) return fail(ErrorKind::Unavailable, "cancelled", "cancelled");
  return {};
}

}  // namespace alcove::hub
