#pragma once
// When somebody last wanted something: hosts that bill by the minute want servers that notice when nobody
// does.

#include <atomic>
#include <chrono>

namespace alcove::api {

// Safe from any thread.
class Idleness {
 public:
  using Clock = std::chrono::steady_clock;

  void note_use() { last_ = Clock::now(); }
  Clock::duration length() const { return Clock::now() - last_.load(); }

 private:
  std::atomic<Clock::time_point> last_{Clock::now()};
};

// Since this process's last request that was neither a probe nor for its figures: those come by the clock.
Idleness& since_last_call();

}  // namespace alcove::api
