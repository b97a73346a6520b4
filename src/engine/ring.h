#pragma once
// Things that a run borrows, as many as there are runs at once.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace alcove::engine {

// Filled once; then safe from any thread.
template <class Thing>
class Ring {
 public:
  void add(Thing thing) { free_.push_back(std::move(thing)); }

  class Lease {  // gives it back when it goes
   public:
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      {
        std::lock_guard lock(ring_.mutex_);
        ring_.free_.push_back(std::move(thing_));
      }
      ring_.returned_.notify_all();
    }
    Thing* operator->() const { return &thing_; }

   private:
    friend class Ring;
    Lease(Ring& ring, Thing thing) : ring_(ring), thing_(std::move(thing)) {}
    Ring& ring_;
    mutable Thing thing_;
  };

  // Waits while all are out. First come, first served: who takes again at once, as work of many runs does,
  // would otherwise pass those who wait for a single one.
  [[nodiscard]] Lease take() {
    std::unique_lock lock(mutex_);
    const auto turn = asked_++;
    returned_.wait(lock, [&] { return turn == served_ && !free_.empty(); });
    ++served_;
    Thing thing = std::move(free_.back());
    free_.pop_back();
    lock.unlock();
    returned_.notify_all();  // there may be one for the next, too
    return {*this, std::move(thing)};
  }

 private:
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Thing> free_;
  std::uint64_t asked_ = 0, served_ = 0;
};

}  // namespace alcove::engine
