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
  using Job = std::function<void()>;  // must not throw

  WorkQueue(int workers, std::size_t capacity);
  ~WorkQueue();  // finishes the jobs that run, drops those that wait

  // False, and the job is not taken, when `capacity` jobs wait already. Safe from any thread.
  bool offer(Job job);
  bool full() const;
  std::size_t waiting() const;
  std::size_t running() const;
  std::size_t capacity() const { return capacity_; }
  int workers() const { return static_cast<int>(threads_.size()); }

 private:
  void work();

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  std::size_t running_ = 0;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace alcove::api
