#pragma once
// Batches that outlive their request: a caller behind a proxy which cuts long requests sends the sheets,
// hears "accepted", and asks for the results or follows them. In memory alone: whoever asks after a restart
// sends again.

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/batch.h"
#include "api/server.h"

namespace alcove::api {

struct JobLimits {
  std::size_t jobs = 200;                       // kept; the oldest that is done goes first
  std::uint64_t result_bytes = 64 << 20;        // of all results kept; likewise
  std::chrono::seconds age{3600};               // since its last result
  std::chrono::milliseconds heartbeat{10'000};  // between signs of life to those that follow
};

// Safe from any thread.
class Job final : public BatchSink {
 public:
  Job(std::string id, std::string digest, std::size_t files);

  const std::string& id() const { return id_; }
  const std::string& digest() const { return digest_; }  // of what it was made from
  bool done() const;
  std::uint64_t bytes() const;
  std::chrono::steady_clock::time_point touched() const;

  // JSON: {id, state: "reading" or "done", files, read, results: [lines, in the order they came]}. Put
  // together of texts, since it is asked for on the threads that answer probes.
  std::string to_text() const;

  // Server-sent events into `outflow`: those after number `after`, then each as it comes, then `done` and the
  // end.
  void follow(std::shared_ptr<Outflow> outflow, std::size_t after);
  bool nothing_after(std::size_t after) const;  // it is done, and `after` is its last event
  void beat();                                  // a comment to whoever follows; forgets those who left
  void cancel();  // what is not read yet is not read; those who follow are let go

  bool wanted() override;
  void result(const Json& line) override;
  void end() override;

 private:
  std::string event(std::size_t number) const;  // as it is sent; under the lock

  const std::string id_, digest_;
  const std::size_t files_;
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;  // JSON texts; event n is line n - 1, the last event says `done`
  std::uint64_t bytes_ = 0;
  bool done_ = false, cancelled_ = false;
  std::chrono::steady_clock::time_point touched_ = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<Outflow>> followers_;
};

// Safe from any thread.
class JobStore {
 public:
  explicit JobStore(JobLimits limits = {});
  ~JobStore();

  struct Put {
    std::shared_ptr<Job> job;
    bool is_new = false;  // then it is the caller's to start it
  };
  // The job of this id, made if there is none. BadInput for an id that is no id, or ("other_content") when it
  // stands for other files; Overloaded when the store is full of jobs that are not done.
  Result<Put> put(const std::string& id, const std::string& digest, std::size_t files);
  // NotFound, saying that a job which was here once has to be sent again.
  Result<std::shared_ptr<Job>> find(const std::string& id);
  Result<void> remove(const std::string& id);
  std::size_t size() const;

 private:
  void sweep();  // what is too old, too many or too much; under the lock
  void beat();

  const JobLimits limits_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Job>, std::less<>> jobs_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread heart_;
};

}  // namespace alcove::api
