#pragma once
// The gateway at work: takes sheets in, has them read, and records each once.

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "gateway/ledger.h"
#include "gateway/readers.h"
#include "gateway/stack.h"

namespace alcove::gateway {

struct GatewaySettings {
  int workers = 4;                              // sheets under way at once
  std::function<void(const Record&)> recorded;  // from a worker, after each record of this process
  CutPages cut;                                 // for stacks; empty: a stack is read as one sheet
};

// Safe from any thread.
class Gateway {
 public:
  Gateway(GatewaySettings settings, Ledger& ledger, Readers& readers, Figures& figures);
  ~Gateway();

  void start();
  // Takes up no more from now on; what is under way goes on.
  void drain();
  int under_way();
  // Ends its threads, and lets go of what they had in hand; for good.
  void stop();
  void end_waits();  // whoever waits is told that there is no record yet

  // Durable when it returns.
  Result<Receipt> accept(const Upload& upload);
  // What was postponed, or waits for a reader, may be tried now.
  void nudge();

  // Calls `done` once: with the record when there is one, without it after `limit`. Never from within this
  // call.
  using Done = std::function<void(std::optional<Record>)>;
  void when_recorded(const std::string& uuid, std::chrono::milliseconds limit, Done done);

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiter {
    Clock::time_point until;
    Done done;
  };

  bool draining();
  void work(const std::stop_token& stop);
  void process(const Claim& claim, const std::stop_token& stop);
  // None: it was a stack, whose sheets are recorded or entered.
  Result<std::optional<Outcome>> outcome_of(const Claim& claim, const std::stop_token& stop);
  void record(const Claim& claim, const Outcome& outcome, const std::stop_token& stop);
  void keep_house(const std::stop_token& stop);
  void tell(const Record& record);
  void look_for_records();
  void end_waits_before(Clock::time_point time);

  const GatewaySettings settings_;
  Ledger& ledger_;
  Readers& readers_;
  Figures& figures_;
  const std::string owner_;  // this process, in the ledger
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t news_ = 0;  // grows with whatever may give a worker something to do
  int under_way_ = 0;
  bool draining_ = false;
  std::multimap<std::string, Waiter> waiters_;
  std::vector<std::jthread> threads_;  // last: they use the rest
};

}  // namespace alcove::gateway
