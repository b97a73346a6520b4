#include "app/transfer_line.h"

#include <gtest/gtest.h>

namespace alcove::app {
namespace {

using std::chrono::seconds;

TEST(TransferText, SaysHowFarHowFastAndHowLong) {
  EXPECT_EQ(transfer_text(48'200'000, 96'400'000, 48'200'000, seconds(4), "a.bin"),
            "48.2 MB of 96.4 MB  12.1 MB/s  4 s left  a.bin");
}

TEST(TransferText, CountsTheRateWithoutWhatWasThereBefore) {
  EXPECT_EQ(transfer_text(60'000, 100'000, 10'000, seconds(1), "a"),
            "60.0 kB of 100.0 kB  10.0 kB/s  4 s left  a");
}

TEST(TransferText, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(transfer_text(0, 0, 0, seconds(0), "a"), "0 B  a");
  EXPECT_EQ(transfer_text(5, 5, 5, seconds(1), "a"), "5 B of 5 B  5 B/s  a");
  EXPECT_EQ(size_text(1'040'000'000), "1.04 GB");
}

}  // namespace
}  // namespace alcove::app
