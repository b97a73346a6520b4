#pragma once
// A few threads and a short line in front of them: work that would take seconds never runs where requests
// arrive, and a full house says so at once instead of letting everybody wait.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace alcove::api {

class WorkQueue {
 public:
  struct Job {
    std::function<void()> run;  // must not throw
    // Nobody waits for it any more; then run() only says so, at once. May be empty.
    std::function<bool()> abandoned;
  };

  WorkQueue(int workers, std::size_t capacity);
  ~WorkQueue();  // finishes the jobs that run, drops those that wait

  // False, and the job is not taken, when the line is full. Safe from any thread, as is the rest.
  bool offer(Job job);
  // Whether `capacity` jobs wait already; those whose caller has gone are let go first.
  bool full();
  // From a job that runs: what it has left to do goes to the end of the line, however long that is. So work
  // in many pieces never holds a worker for longer than a piece, and is never refused in its middle.
  void come_again(Job job);
  std::size_t waiting() const;
  std::size_t running() const;
  std::size_t capacity() const { return capacity_; }
  int workers() const { return static_cast<int>(threads_.size()); }

 private:
  void work();
  bool no_room() const;  // under the lock

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  std::size_t running_ = 0;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace alcove::api
