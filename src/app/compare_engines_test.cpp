#include "app/compare_engines.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace alcove::app {
namespace {

using Numbers = std::vector<float>;

TEST(CompareEngines, TheLargestDifferenceAmongTheNumbers) {
  const auto found = largest_difference(Numbers{1, -600, 3}, Numbers{1.5, -600.25, 3});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->absolute, 0.5);
  EXPECT_EQ(found->largest, 600);
  EXPECT_TRUE(found->agree());
  EXPECT_FALSE(largest_difference(Numbers{1, 2}, Numbers{1, 2.1F})->agree());
}

TEST(CompareEngines, ANumberOnOneSideAloneIsADisagreement) {
  const float none = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(largest_difference(Numbers{1, none}, Numbers{1, 2}));
  EXPECT_TRUE(largest_difference(Numbers{1, none}, Numbers{1, none}));
  EXPECT_FALSE(largest_difference(Numbers{1}, Numbers{1, 2}));
}

}  // namespace
}  // namespace alcove::app
