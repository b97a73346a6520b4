#pragma once
// The calls of Gradio's clients and what they hear of them: one stream of events a session, which carries all
// calls of that session.

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/server.h"
#include "base/result.h"

namespace alcove::api {

// One call's outcome: a JSON text of the endpoint's outputs, or what went wrong.
using GradioOutcome = Result<std::string>;

struct QueueLimits {
  std::size_t sessions = 1'000;
  std::size_t calls = 64;                       // unfinished, of one session
  std::chrono::seconds unheard{300};            // a session nobody listens to is forgotten
  std::chrono::milliseconds heartbeat{10'000};  // clients give up on a stream that is silent for 20 s
};

// Safe from any thread.
class GradioQueue {
 public:
  explicit GradioQueue(QueueLimits limits = {});
  ~GradioQueue();

  // A new call of the session; gives its id. Overloaded when there are too many.
  Result<std::string> join(const std::string& session);
  void begin(const std::string& event);  // it runs
  void finish(const std::string& event, const GradioOutcome& outcome);
  // The client does not want it any more; what it would have said goes nowhere.
  void cancel(const std::string& event);
  bool wanted(const std::string& event) const;

  // Everything said in the session so far, and from now on, until its last call is done. A session of calls
  // that are all told is unknown again.
  void listen(const std::string& session, std::shared_ptr<Outflow> out);
  // The outcome of one call, for those who speak without a client library.
  void listen_to_call(const std::string& event, std::shared_ptr<Outflow> out);
  // Signs of life until the client goes.
  void beat(std::shared_ptr<Outflow> out);

 private:
  using Clock = std::chrono::steady_clock;
  struct Session {
    std::vector<std::string> unsaid;  // messages since nobody listens
    std::shared_ptr<Outflow> out;
    std::size_t open_calls = 0;
    Clock::time_point touched = Clock::now();
  };
  struct Call {
    std::string session;
    bool done = false;
    std::string said;              // the outcome as listen_to_call() sends it
    std::shared_ptr<Outflow> out;  // of listen_to_call()
    Clock::time_point touched = Clock::now();
  };

  void say(Session& session, std::string message);
  void end_if_done(const std::string& name);
  void finish_locked(const std::string& event, const GradioOutcome& outcome);
  void keep_alive();

  const QueueLimits limits_;
  mutable std::mutex mutex_;
  std::map<std::string, Session> sessions_;
  std::map<std::string, Call> calls_;
  std::vector<std::shared_ptr<Outflow>> beaten_;
  std::uint64_t last_ = 0;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread heart_;
};

}  // namespace alcove::api
