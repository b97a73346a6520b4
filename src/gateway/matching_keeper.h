#pragma once
// Keeps the records judged while a gateway runs.

#include <condition_variable>
#include <mutex>
#include <thread>

#include "gateway/matching.h"

namespace alcove::gateway {

class MatchingKeeper {
 public:
  // Looks for what is new some times a second from now on, in a thread of its own.
  explicit MatchingKeeper(Matching matching);
  // Ends the thread, after one last look at what has come.
  ~MatchingKeeper();

 private:
  void look();

  Matching matching_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace alcove::gateway
