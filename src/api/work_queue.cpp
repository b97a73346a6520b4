#include "api/work_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace alcove::api {

WorkQueue::WorkQueue(int workers, std::size_t capacity) : capacity_(capacity) {
  for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
}

WorkQueue::~WorkQueue() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

// A free worker takes its job at once: that one does not wait, so it does not count.
bool WorkQueue::no_room() const {
  return waiting_.size() >= capacity_ + threads_.size() - std::min(running_, threads_.size());
}

bool WorkQueue::full() {
  std::vector<Job> dropped;
  {
    const std::lock_guard lock(mutex_);
    if (!no_room()) return false;
    const auto kept = std::stable_partition(
        waiting_.begin(), waiting_.end(), [](const Job& job) { return !job.abandoned || !job.abandoned(); });
    dropped.assign(std::make_move_iterator(kept), std::make_move_iterator(waiting_.end()));
    waiting_.erase(kept, waiting_.end());
  }
  for (const auto& job : dropped) job.run();
  return dropped.empty();
}

bool WorkQueue::offer(Job job) {
  if (full()) return false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || no_room()) return false;
    waiting_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void WorkQueue::come_again(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    waiting_.push_back(std::move(job));
  }
  changed_.notify_one();
}

std::size_t WorkQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

std::size_t WorkQueue::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

void WorkQueue::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (closed_) return;
    auto job = std::move(waiting_.front());
    waiting_.pop_front();
    ++running_;
    lock.unlock();
    job.run();
    job = {};  // what the job holds goes before it counts as done
    lock.lock();
    --running_;
  }
}

}  // namespace alcove::api
