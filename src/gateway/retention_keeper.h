#pragma once
// Lets go of what is due while a gateway runs.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "gateway/retention.h"

namespace alcove::gateway {

class RetentionKeeper {
 public:
  // Purges now, and again after each `period`, in a thread of its own; who is "timer" in the trail. What
  // fails is in the log and tried again within a minute.
  RetentionKeeper(Retention retention, std::chrono::seconds period);

 private:
  bool purge();

  Retention retention_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace alcove::gateway
