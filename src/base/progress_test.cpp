#include "base/progress.h"

#include <gtest/gtest.h>

namespace alcove {
namespace {

using std::chrono::seconds;

TEST(ProgressLine, SaysRateAndTimeLeft) {
  EXPECT_EQ(progress_line(12, 24, seconds(4), "sheets"),
            "[############------------] 12/24 sheets  3.0/s  4 s left");
}

TEST(ProgressLine, StartsWithoutARate) {
  EXPECT_EQ(progress_line(0, 2, seconds(0), "sheets"), "[------------------------] 0/2 sheets");
}

TEST(ProgressLine, LongWaitsAreInMinutesAndHours) {
  EXPECT_NE(progress_line(10, 200, seconds(10), "sheets").find("3 min 10 s left"), std::string::npos);
  EXPECT_NE(progress_line(1, 10'000, seconds(1), "sheets").find("2 h 46 min left"), std::string::npos);
}

TEST(ProgressLine, WithoutAnEndCountsOnly) {
  EXPECT_EQ(progress_line(5, 0, seconds(2), "papers"), "5 papers  2.5/s");
}

}  // namespace
}  // namespace alcove
