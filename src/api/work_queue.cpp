#include "api/work_queue.h"

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

bool WorkQueue::offer(Job job) {
  {
    const std::lock_guard lock(mutex_);
    // A free worker takes its job at once: that one does not wait, so it does not count.
    const auto idle = threads_.size() - running_;
    if (closed_ || waiting_.size() >= capacity_ + idle) return false;
    waiting_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

bool WorkQueue::full() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size() >= capacity_ + (threads_.size() - running_);
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
    job();
    job = nullptr;  // what the job holds goes before it counts as done
    lock.lock();
    --running_;
  }
}

}  // namespace alcove::api
