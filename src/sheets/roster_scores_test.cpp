#include "sheets/roster_scores.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

namespace alcove::sheets {
namespace {

Posteriors random_posteriors(std::mt19937& random, std::string alphabet, std::size_t steps) {
  Posteriors made{.rows = {}, .alphabet = std::move(alphabet)};
  std::exponential_distribution<float> weight(1);
  for (std::size_t step = 0; step < steps; ++step) {
    std::vector<float> row(made.classes());
    float sum = 0;
    for (auto& each : row) sum += each = weight(random) * weight(random);
    for (const auto each : row) made.rows.push_back(each / sum);
  }
  return made;
}

// The definition: every path of classes along the steps, collapsed, and its probability added.
std::map<std::string, double> by_enumeration(const Posteriors& posteriors) {
  std::map<std::string, double> sums;
  const auto classes = posteriors.classes();
  std::vector<std::size_t> path(posteriors.steps(), 0);
  for (;;) {
    double probability = 1;
    std::string text;
    for (std::size_t step = 0; step < path.size(); ++step) {
      probability *= posteriors.rows[step * classes + path[step]];
      const bool repeats = step > 0 && path[step - 1] == path[step];
      if (path[step] != 0 && !repeats) text += posteriors.alphabet[path[step] - 1];
    }
    sums[text] += probability;
    std::size_t step = 0;
    while (step < path.size() && ++path[step] == classes) path[step++] = 0;
    if (step == path.size()) return sums;
  }
}

TEST(RosterScores, AreTheSumOverAllPaths) {
  std::mt19937 random(7);
  for (const std::size_t steps : {1U, 2U, 5U, 7U}) {
    const auto posteriors = random_posteriors(random, "012", steps);
    const auto expected = by_enumeration(posteriors);
    std::vector<std::string> texts;
    for (const auto& [text, probability] : expected) texts.push_back(text);
    std::ranges::shuffle(texts, random);
    const auto scores = ValueTree(texts).log_probabilities(posteriors);
    double sum = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_NEAR(std::exp(scores[i]), expected.at(texts[i]), 1e-6) << "\"" << texts[i] << "\"";
      EXPECT_NEAR(scores[i], log_probability(posteriors, texts[i]), 1e-9) << "alone and in the list";
      sum += std::exp(scores[i]);
    }
    EXPECT_NEAR(sum, 1, 1e-4) << "something was written, whatever it was";
  }
}

TEST(RosterScores, ATextLongerThanTheStepsIsImpossible) {
  std::mt19937 random(1);
  const auto posteriors = random_posteriors(random, "01", 3);
  EXPECT_GT(log_probability(posteriors, "010"), kImpossible);
  EXPECT_EQ(log_probability(posteriors, "0101"), kImpossible);
  EXPECT_EQ(log_probability(posteriors, "000"), kImpossible) << "repeats need a blank between";
  EXPECT_EQ(log_probability(posteriors, "0X"), kImpossible) << "the reader knows no X";
}

TEST(RosterScores, SharedBeginningsStandOnce) {
  std::vector<std::string> numbers;
  for (int i = 0; i < 1000; ++i) numbers.push_back(fmt::format("212223060{:03}", i));
  EXPECT_EQ(ValueTree(numbers).nodes(), 9U + 10 + 100 + 1000);
  EXPECT_EQ(ValueTree(std::vector<std::string>{"12", "12", "1", ""}).nodes(), 2U);
  EXPECT_EQ(ValueTree(std::vector<std::string>{}).log_probabilities({.rows = {}, .alphabet = "01"}).size(),
            0U);
}

TEST(RosterScores, ValuesMayComeTwiceAndInAnyOrder) {
  std::mt19937 random(3);
  const auto posteriors = random_posteriors(random, "012", 6);
  const std::vector<std::string> texts{"21", "", "2", "21", "012"};
  const auto scores = ValueTree(texts).log_probabilities(posteriors);
  EXPECT_EQ(scores[0], scores[3]);
  for (std::size_t i = 0; i < texts.size(); ++i)
    EXPECT_NEAR(scores[i], log_probability(posteriors, texts[i]), 1e-9);
}

TEST(RosterScores, NoStepsSayNothing) {
  EXPECT_EQ(log_probability({.rows = {}, .alphabet = "01"}, ""), 0);
  EXPECT_EQ(log_probability({.rows = {}, .alphabet = "01"}, "0"), kImpossible);
}

TEST(RosterScores, LongAndSureReadingsStayWithinADouble) {
  Posteriors sure{.rows = {}, .alphabet = "0123456789"};
  for (int step = 0; step < 400; ++step) {
    std::vector<float> row(11, 0.0F);
    row[step % 2 == 0 ? 0 : static_cast<std::size_t>(step / 2 % 10 + 1)] = 1;
    sure.rows.insert(sure.rows.end(), row.begin(), row.end());
  }
  const auto right = best_path(sure);
  EXPECT_EQ(right.size(), 200U);
  EXPECT_NEAR(log_probability(sure, right), 0, 0.01);
  auto wrong = right;
  wrong[77] = wrong[77] == '1' ? '2' : '1';
  EXPECT_LT(log_probability(sure, wrong), -10);
  EXPECT_GT(log_probability(sure, wrong), -40);
}

TEST(TextAsPosteriors, FavoursWhatWasReadThenOneSlip) {
  const auto posteriors = posteriors_of_text("1223", "0123456789");
  EXPECT_EQ(best_path(posteriors), "1223");
  const auto same = log_probability(posteriors, "1223");
  const auto wrong = log_probability(posteriors, "1224");
  const auto lost = log_probability(posteriors, "12253");
  const auto made_up = log_probability(posteriors, "123");
  const auto two_wrong = log_probability(posteriors, "1244");
  EXPECT_GT(same, -0.2);
  for (const auto slip : {wrong, lost, made_up}) {
    EXPECT_LT(slip, same - 3);
    EXPECT_GT(slip, two_wrong);
  }
  EXPECT_NEAR(wrong, std::log(ErrorRates{}.wrong / 9), 0.2);
  EXPECT_EQ(best_path(posteriors_of_text("", "01")), "");
}

TEST(TextAsPosteriors, ASymbolItDoesNotKnowCouldBeAny) {
  const auto posteriors = posteriors_of_text("1?3", "0123456789");
  EXPECT_NEAR(log_probability(posteriors, "123"), log_probability(posteriors, "193"), 1e-6);
}

}  // namespace
}  // namespace alcove::sheets
