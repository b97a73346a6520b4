#include "api/connection_watch.h"

#include <gtest/gtest.h>

namespace alcove::api {
namespace {

using std::chrono::seconds;

struct Watched : testing::Test {
  ConnectionWatch watch{seconds(60), 3};
  ConnectionWatch::Clock::time_point start;
  std::map<int, int> closed;
  int names[8] = {};

  void open(int name) {
    watch.opened(&names[name], start, [this, name] {
      ++closed[name];
      watch.closed(&names[name]);
    });
  }
};

TEST_F(Watched, SilenceIsEndedAndWorkIsNot) {
  open(0);
  open(1);
  watch.request_began(&names[1]);
  watch.close_idle(start + seconds(60));
  EXPECT_TRUE(closed.empty());
  watch.close_idle(start + seconds(61));
  EXPECT_EQ(closed, (std::map<int, int>{{0, 1}}));
  watch.request_ended(&names[1], start + seconds(200));
  watch.close_idle(start + seconds(260));
  EXPECT_EQ(closed.count(1), 0) << "the time runs from the last reply";
  watch.close_idle(start + seconds(261));
  EXPECT_EQ(closed.count(1), 1);
}

TEST_F(Watched, InACrowdPatienceIsShort) {
  for (int name = 0; name < 4; ++name) open(name);
  watch.request_began(&names[3]);
  watch.close_idle(start + seconds(7));
  EXPECT_EQ(closed, (std::map<int, int>{{0, 1}, {1, 1}, {2, 1}}));
}

TEST_F(Watched, MoreThanACrowdIsCrowded) {
  for (int name = 0; name < 3; ++name) open(name);
  EXPECT_FALSE(watch.is_crowded());
  open(3);
  EXPECT_TRUE(watch.is_crowded());
}

TEST_F(Watched, WhoDoesNotReadIsKnownUntilItDoes) {
  open(0);
  EXPECT_FALSE(watch.is_unread(&names[0]));
  watch.set_unread(&names[0], true);
  EXPECT_TRUE(watch.is_unread(&names[0]));
  watch.set_unread(&names[0], false);
  EXPECT_FALSE(watch.is_unread(&names[0]));
}

TEST_F(Watched, WhatIsUnknownIsIgnored) {
  watch.set_unread(&names[0], true);
  EXPECT_FALSE(watch.is_unread(&names[0]));
  watch.request_began(&names[0]);
  watch.request_ended(&names[0], start);
  watch.closed(&names[0]);
  watch.close_idle(start + seconds(1000));
}

}  // namespace
}  // namespace alcove::api
