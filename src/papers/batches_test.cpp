#include "papers/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace alcove::papers {
namespace {

// Lengths of abstracts: most near two hundred tokens, some cut at the model's limit.
std::vector<std::uint32_t> abstracts(std::size_t count) {
  std::mt19937 random(7);
  std::lognormal_distribution<double> lengths(5.3, 0.35);
  std::vector<std::uint32_t> made(count);
  for (auto& length : made) length = static_cast<std::uint32_t>(std::clamp(lengths(random), 3.0, 512.0));
  return made;
}

double padding_share(std::span<const std::uint32_t> lengths, const std::vector<Batch>& batches) {
  double used = 0, sent = 0;
  for (const auto& batch : batches) {
    sent += static_cast<double>(batch.length * batch.rows.size());
    for (const auto row : batch.rows) used += lengths[row];
  }
  return 1 - used / sent;
}

TEST(PlanBatches, EveryTextOnceWithinTheBudget) {
  const auto lengths = abstracts(1000);
  std::vector<int> seen(lengths.size());
  for (const auto& batch : plan_batches(lengths, 4096)) {
    EXPECT_LE(batch.length * batch.rows.size(), 4096U);
    for (const auto row : batch.rows) {
      EXPECT_LE(lengths[row], batch.length);
      ++seen[row];
    }
  }
  EXPECT_EQ(std::ranges::count(seen, 1), 1000);
}

TEST(PlanBatches, LittleIsPadding) {
  for (const std::size_t count : {500U, 5275U}) {
    const auto lengths = abstracts(count);
    EXPECT_LT(padding_share(lengths, plan_batches(lengths, 2048)), 0.03) << count;
  }
}

TEST(PlanBatches, LongestFirst) {
  const auto batches = plan_batches(std::vector<std::uint32_t>{3, 9, 5, 9}, 18);
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[0].rows, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(batches[1].rows, (std::vector<std::uint32_t>{2, 0}));
}

TEST(PlanBatches, OneLongTextRunsAlone) {
  const auto batches = plan_batches(std::vector<std::uint32_t>{100, 512}, 256);
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[0].rows, std::vector<std::uint32_t>{1});
}

TEST(PlanBatches, NothingForNothing) { EXPECT_TRUE(plan_batches({}, 256).empty()); }

}  // namespace
}  // namespace alcove::papers
