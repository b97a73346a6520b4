#include <gtest/gtest.h>

#include <limits>

#include "models/crnn.h"

namespace alcove::models {
namespace {

TEST(PosteriorsOf, EachStepSumsToOne) {
  const float logits[] = {0, 0, 0, 1, 2, 3};
  const auto found = posteriors_of(logits, 3);
  EXPECT_NEAR(found[0], 1.0 / 3, 1e-6);
  EXPECT_NEAR(found[3], 0.0900306, 1e-6);
  EXPECT_NEAR(found[4], 0.2447285, 1e-6);
  EXPECT_NEAR(found[5], 0.6652410, 1e-6);
}

TEST(PosteriorsOf, LargeLogitsDoNotOverflow) {
  const float logits[] = {1000, 1000, -1000};
  const auto found = posteriors_of(logits, 3);
  EXPECT_FLOAT_EQ(found[0], 0.5F);
  EXPECT_FLOAT_EQ(found[2], 0);
}

TEST(PosteriorsOf, NumbersThatAreNoneSayNothing) {
  constexpr auto kInfinite = std::numeric_limits<float>::infinity();
  for (const auto none : {std::numeric_limits<float>::quiet_NaN(), kInfinite}) {
    const float logits[] = {0, 9, 0, 0, none, 0};
    const auto found = posteriors_of(logits, 3);
    EXPECT_EQ(found, std::vector<float>(6, 1.0F / 3));
    EXPECT_EQ(read_greedy(found, 3, "01").text, "") << "no half of a number";
  }
  const float impossible[] = {0, 9, -kInfinite};
  EXPECT_EQ(posteriors_of(impossible, 3)[2], 0) << "what cannot be is a number like others";
}

// A step whose best class is `label` with the given confidence, of three classes.
std::vector<float> steps(const std::vector<std::pair<int, float>>& best) {
  std::vector<float> rows;
  for (const auto& [label, confidence] : best)
    for (int k = 0; k < 3; ++k) rows.push_back(k == label ? confidence : (1 - confidence) / 2);
  return rows;
}

TEST(ReadGreedy, DropsBlanksAndRepeats) {
  const float rows[] = {.1F, .8F, .1F, .1F, .8F, .1F, .9F, .05F, .05F, .2F, .6F, .2F};  // 0 0 blank 0
  EXPECT_EQ(read_greedy(rows, 3, "01").text, "00");
}

TEST(ReadGreedy, TwoSymbolsMayFollowEachOther) {
  EXPECT_EQ(read_greedy(steps({{1, .9F}, {2, .9F}, {1, .9F}}), 3, "ab").text, "aba");
}

TEST(ReadGreedy, ConfidenceIsTheMeanOfTheStepsKept) {
  const auto reading = read_greedy(steps({{0, .5F}, {1, .8F}, {1, .99F}, {0, .7F}, {2, .6F}}), 3, "ab");
  EXPECT_EQ(reading.text, "ab");
  EXPECT_FLOAT_EQ(reading.confidence, 0.7F);
  // The original's figure counts each run of blanks by its first step.
  EXPECT_FLOAT_EQ(reading.with_blanks, (.5F + .8F + .7F + .6F) / 4);
}

TEST(ReadGreedy, SaysWhereEachSymbolWasRead) {
  const auto reading = read_greedy(steps({{0, .9F}, {2, .8F}, {2, .7F}, {0, .9F}, {1, .6F}}), 3, "ab");
  ASSERT_EQ(reading.symbols.size(), 2U);
  EXPECT_EQ(reading.symbols[0].value, 'b');
  EXPECT_EQ(reading.symbols[0].step, 1);
  EXPECT_FLOAT_EQ(reading.symbols[0].confidence, 0.8F);
  EXPECT_EQ(reading.symbols[1].step, 4);
}

TEST(ReadGreedy, NamesWhatASymbolMayBeInstead) {
  const float rows[] = {.05F, .5F, .1F, .3F, .05F};  // blank, 0, 1, 2, 3
  const auto symbols = read_greedy(rows, 5, "0123").symbols;
  ASSERT_EQ(symbols.size(), 1U);
  ASSERT_EQ(symbols[0].rivals.size(), 2U) << "two are enough";
  EXPECT_EQ(symbols[0].rivals[0].value, '2');
  EXPECT_FLOAT_EQ(symbols[0].rivals[0].confidence, 0.3F);
  EXPECT_EQ(symbols[0].rivals[1].value, '1');
  const float sure[] = {.009F, .982F, .009F};
  EXPECT_TRUE(read_greedy(sure, 3, "01").symbols[0].rivals.empty()) << "less than 1 % is no rival";
}

TEST(ReadGreedy, ABlankLineIsEmpty) {
  const auto reading = read_greedy(steps({{0, .9F}, {0, .9F}}), 3, "ab");
  EXPECT_EQ(reading.text, "");
  EXPECT_EQ(reading.confidence, 0);
  EXPECT_FLOAT_EQ(reading.with_blanks, 0.9F);
  EXPECT_EQ(read_greedy({}, 3, "ab").with_blanks, 0);
}

}  // namespace
}  // namespace alcove::models
