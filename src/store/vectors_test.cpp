#include "store/vectors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace alcove::store {
namespace {

std::vector<float> random_values(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (auto& value : values) value = normal(random);
  return values;
}

// The same in doubles, without any of the table's shortcuts.
std::vector<Near> by_hand(const std::vector<float>& values, std::size_t width, std::span<const float> query,
                          std::size_t limit, const RowFilter& filter) {
  const auto product = [](std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
    return sum;
  };
  std::vector<Near> all;
  for (std::uint32_t row = 0; row < values.size() / width; ++row) {
    const auto vector = std::span(values).subspan(row * width, width);
    const auto lengths = std::sqrt(product(vector, vector) * product(query, query));
    if (filter.empty() || filter[row] != 0)
      all.push_back({row, static_cast<float>(lengths == 0 ? 0 : product(vector, query) / lengths)});
  }
  std::ranges::stable_sort(all, [](const Near& a, const Near& b) { return a.cosine > b.cosine; });
  all.resize(std::min(limit, all.size()));
  return all;
}

void expect_same(const std::vector<Near>& found, const std::vector<Near>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i].cosine, wanted[i].cosine, 1e-5);
    // Two rows nearer to each other than floats tell apart may change places.
    EXPECT_TRUE(found[i].row == wanted[i].row || std::abs(found[i].cosine - wanted[i].cosine) < 1e-6F) << i;
  }
}

TEST(VectorTable, FindsWhatComparingAllFinds) {
  for (const std::size_t width : {1u, 3u, 8u, 17u, 384u, 768u, 1000u}) {
    const auto values = random_values(600 * width, static_cast<unsigned>(width));
    const auto table = VectorTable::make(width, values);
    ASSERT_TRUE(table);
    RowFilter third(600);
    for (std::size_t row = 0; row < third.size(); row += 3) third[row] = 1;
    for (unsigned seed = 0; seed < 8; ++seed) {
      const auto query = random_values(width, 1'000 + seed);
      for (const std::size_t limit : {1u, 10u, 50u, 600u}) {
        expect_same(table->nearest(query, limit), by_hand(values, width, query, limit, {}));
        expect_same(table->nearest(query, limit, third), by_hand(values, width, query, limit, third));
      }
    }
  }
}

// Rows that differ by less than their bytes can tell.
TEST(VectorTable, TellsNearTwinsApart) {
  constexpr std::size_t kWidth = 64, kRows = 2'000;
  const auto base = random_values(kWidth, 1);
  auto values = random_values(kWidth * kRows, 2);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = base[i % kWidth] + values[i] * 1e-3F;
  const auto table = VectorTable::make(kWidth, values);
  ASSERT_TRUE(table);
  expect_same(table->nearest(base, 10), by_hand(values, kWidth, base, 10, {}));
}

TEST(VectorTable, KnowsLengthsOfAnySize) {
  const auto table = VectorTable::make(2, {1e-30F, 1e-30F, 1e30F, 0, 0, 0, -3, -3});
  ASSERT_TRUE(table);
  const std::vector<float> query{5e20F, 5e20F};
  const auto found = table->nearest(query, 9);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].row, 0u);
  EXPECT_NEAR(found[0].cosine, 1, 1e-6);
  EXPECT_NEAR(found[1].cosine, std::sqrt(0.5), 1e-6);
  EXPECT_EQ(found[2], (Near{2, 0}));
  EXPECT_NEAR(found[3].cosine, -1, 1e-6);
}

TEST(VectorTable, FindsNothingForWhatHasNoDirection) {
  const auto table = VectorTable::make(2, {1, 0, 0, 1});
  ASSERT_TRUE(table);
  EXPECT_TRUE(table->nearest(std::vector<float>{0, 0}, 5).empty());
  EXPECT_TRUE(table->nearest(std::vector<float>{1, NAN}, 5).empty());
  EXPECT_TRUE(table->nearest(std::vector<float>{1}, 5).empty());
  EXPECT_TRUE(table->nearest(std::vector<float>{1, 0}, 0).empty());
  EXPECT_TRUE(table->nearest(std::vector<float>{1, 0}, 5, RowFilter{0, 0}).empty());
}

TEST(VectorTable, RefusesWhatIsNoTable) {
  EXPECT_FALSE(VectorTable::make(0, {}));
  EXPECT_FALSE(VectorTable::make(3, {1, 2, 3, 4}));
  const auto endless = VectorTable::make(1, {1, std::numeric_limits<float>::infinity()});
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().message, "vector 1 holds a number that is not finite");
  EXPECT_TRUE(VectorTable::make(4, {}));
}

}  // namespace
}  // namespace alcove::store
