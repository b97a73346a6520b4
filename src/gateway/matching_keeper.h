#pragma once
// Keeps the records judged while a gateway runs.

#include <condition_variable>
#include <mutex>
#include <thread>

#include "gateway/ledger.h"

namespace alcove::gateway {

class MatchingKeeper {
 public:
  // Both outlive it. Looks for what is new some times a second from now on, in a thread of its own.
  MatchingKeeper(Ledger& ledger, Matching matching);
  // Ends the thread, after one last look at what has come.
  ~MatchingKeeper();

 private:
  void look();

  Ledger& ledger_;
  Matching matching_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;  // last: it uses the rest
};

// Until nothing is left to look at. Gives how many records are judged anew.
Result<std::size_t> match_all(Ledger& ledger, Matching& matching);

}  // namespace alcove::gateway
