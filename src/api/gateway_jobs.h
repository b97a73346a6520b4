#pragma once
// Many sheets in one request: kept and queued before the answer, recorded one by one, followed as events.

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "api/batch_upload.h"
#include "api/record_json.h"
#include "api/server.h"
#include "gateway/gateway.h"

namespace alcove::api {

// Safe from any thread.
class GatewayJobs {
 public:
  GatewayJobs(gateway::Gateway& gateway, gateway::Ledger& ledger, BatchLimits limits);
  ~GatewayJobs();

  // PUT /jobs/{id}; may take as long as the disk does. The same files under the same id are the same job.
  Reply put(std::shared_ptr<const Request> request);
  Reply show(const std::string& id);
  // Each record as an event numbered from 1, then `done`; from the one after `Last-Event-ID` on.
  void follow(const Request& request, const Answer& answer);
  void recorded(const gateway::Record& record);  // whoever follows its job hears of it

 private:
  struct Follower {
    std::string job;
    std::shared_ptr<Outflow> out;
    std::int64_t last = 0;  // event sent
  };
  Result<void> take(const BatchUpload& batch, std::size_t index, const std::string& id);
  void tell(const std::stop_token& stop);
  bool catch_up(Follower& follower);  // false: it is done, or has gone

  gateway::Gateway& gateway_;
  gateway::Ledger& ledger_;
  const BatchLimits limits_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::list<Follower> followers_;
  std::set<std::string> news_;  // jobs with records that were not told
  std::jthread teller_;         // last: it uses the rest
};

}  // namespace alcove::api
