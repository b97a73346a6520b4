#include "engine/ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace alcove::engine {
namespace {

using namespace std::chrono_literals;

TEST(Ring, ServesWhoWaitsBeforeWhoComesAgain) {
  Ring<int> ring;
  ring.add(1);
  std::atomic<int> runs = 0;
  std::jthread busy([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto lease = ring.take();
      std::this_thread::sleep_for(2ms);
      ++runs;
    }
  });
  for (int i = 0; i < 20; ++i) {
    while (runs == 0) std::this_thread::yield();
    std::this_thread::sleep_for(1ms);
    const int before = runs;
    const auto lease = ring.take();
    // The one under way, and one that was asked for before this one.
    EXPECT_LE(runs - before, 2);
  }
}

TEST(Ring, LendsAllItHasAtOnce) {
  Ring<int> ring;
  ring.add(1);
  ring.add(2);
  const auto first = ring.take(), second = ring.take();
  EXPECT_EQ(*first.operator->() + *second.operator->(), 3);
}

}  // namespace
}  // namespace alcove::engine
