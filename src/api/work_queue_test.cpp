#include "api/work_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace alcove::api {
namespace {

// A job that stays inside until it is let go.
struct Gate {
  std::promise<void> entered, release;
  std::shared_future<void> released = release.get_future().share();
  WorkQueue::Job job() {
    return {[this] {
              entered.set_value();
              released.wait();
            },
            {}};
  }
};

TEST(WorkQueue, RunsWhatItTakes) {
  std::atomic<int> ran{0};
  std::promise<void> all;
  WorkQueue queue(2, 100);
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(queue.offer({[&] {
                               if (++ran == 100) all.set_value();
                             },
                             {}}));
  all.get_future().wait();
  EXPECT_EQ(ran, 100);
}

TEST(WorkQueue, FullHouseSaysSoAtOnce) {
  Gate gate;
  WorkQueue queue(1, 2);
  EXPECT_FALSE(queue.full());
  ASSERT_TRUE(queue.offer(gate.job()));
  gate.entered.get_future().wait();
  EXPECT_TRUE(queue.offer({[] {}, {}}));
  EXPECT_TRUE(queue.offer({[] {}, {}}));
  EXPECT_TRUE(queue.full());
  EXPECT_FALSE(queue.offer({[] { ADD_FAILURE() << "a refused job must not run"; }, {}}));
  EXPECT_EQ(queue.waiting(), 2);
  EXPECT_EQ(queue.running(), 1);
  gate.release.set_value();
}

TEST(WorkQueue, CallersWhoLeftMakeRoom) {
  Gate gate;
  WorkQueue queue(1, 2);
  ASSERT_TRUE(queue.offer(gate.job()));
  gate.entered.get_future().wait();
  std::atomic<bool> gone{false};
  int told = 0;
  ASSERT_TRUE(queue.offer({[&] { ++told; }, [&] { return gone.load(); }}));
  ASSERT_TRUE(queue.offer({[] {}, {}}));
  EXPECT_TRUE(queue.full());
  gone = true;
  EXPECT_TRUE(queue.offer({[] {}, {}}));
  EXPECT_EQ(told, 1) << "the job is told, so that its request ends";
  EXPECT_EQ(queue.waiting(), 2);
  gate.release.set_value();
}

TEST(WorkQueue, WorkInPiecesIsNeverRefusedAndTakesTurns) {
  Gate gate;
  std::string order;
  std::promise<void> all;
  WorkQueue queue(1, 1);
  ASSERT_TRUE(queue.offer({[&] {
                             gate.job().run();
                             order += 'a';
                             queue.come_again({[&] {
                                                 order += 'c';
                                                 all.set_value();
                                               },
                                               {}});
                           },
                           {}}));
  gate.entered.get_future().wait();
  ASSERT_TRUE(queue.offer({[&] { order += 'b'; }, {}}));
  ASSERT_TRUE(queue.full());
  gate.release.set_value();
  all.get_future().wait();
  EXPECT_EQ(order, "abc");
}

TEST(WorkQueue, DropsWhatStillWaitsAtTheEnd) {
  Gate gate;
  std::future<void> closing;
  {
    auto queue = std::make_unique<WorkQueue>(1, 10);
    ASSERT_TRUE(queue->offer(gate.job()));
    gate.entered.get_future().wait();
    ASSERT_TRUE(queue->offer({[] { ADD_FAILURE() << "dropped jobs must not run"; }, {}}));
    closing = std::async(std::launch::async, [owned = std::move(queue)]() mutable { owned.reset(); });
    // The running job is waited for; only then does the queue go.
    EXPECT_EQ(closing.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
    gate.release.set_value();
  }
  closing.wait();
}

}  // namespace
}  // namespace alcove::api
