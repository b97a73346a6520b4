#include "sheets/number_rules.h"

#include <gtest/gtest.h>

namespace alcove::sheets {
namespace {

using Doubts = std::vector<std::string>;

Candidate number(std::string text, float each = 0.99F) {
  Candidate made;
  for (const char symbol : text) made.symbols.push_back({.value = symbol, .confidence = each});
  made.value = std::move(text);
  return made;
}

TEST(NumberRules, LetsAnythingPassThatNothingIsKnownOf) {
  EXPECT_EQ(doubts_about(number("212223060100"), {}), Doubts{});
}

TEST(NumberRules, OneBadDigitIsEnough) {
  auto read = number("212223060100");
  read.symbols[4].confidence = 0.4F;  // the mean is still 0.94
  EXPECT_EQ(doubts_about(read, {}), Doubts{"low_symbol"});
}

TEST(NumberRules, SaysHowLongTheNumberCameOut) {
  EXPECT_EQ(doubts_about(number("21222306010"), {.length = 12, .pattern = {}}), Doubts{"length_11"});
  EXPECT_EQ(doubts_about(number(""), {.length = 12, .pattern = {}}), Doubts{"blank_register"});
}

TEST(NumberRules, KnowsShapes) {
  EXPECT_TRUE(has_shape("2122AB01", "2122@@##"));
  EXPECT_TRUE(has_shape("Z9", "??"));
  EXPECT_FALSE(has_shape("2123AB01", "2122@@##"));
  EXPECT_FALSE(has_shape("2122AB0", "2122@@##"));
  EXPECT_FALSE(has_shape("2122AB011", "2122@@##"));
  EXPECT_EQ(doubts_about(number("3122"), {.pattern = "2###"}), Doubts{"pattern"});
}

TEST(NumberRules, CheckDigitsThatTheWorldAgreesOn) {
  EXPECT_TRUE(has_check_digit("79927398713", CheckDigit::Luhn));
  EXPECT_TRUE(has_check_digit("0306406152", CheckDigit::Mod11));
  EXPECT_TRUE(has_check_digit("097522980X", CheckDigit::Mod11));
  EXPECT_TRUE(has_check_digit("2363", CheckDigit::Verhoeff));
  EXPECT_FALSE(has_check_digit("", CheckDigit::Luhn));
  EXPECT_FALSE(has_check_digit("12A4", CheckDigit::Verhoeff));
}

// What a check digit is for: any single digit read wrong is noticed; Verhoeff also notices two swapped.
TEST(NumberRules, CheckDigitsFindEveryWrongDigit) {
  const std::pair<CheckDigit, std::string> sound[] = {
      {CheckDigit::Luhn, "79927398713"}, {CheckDigit::Mod11, "0306406152"}, {CheckDigit::Verhoeff, "2363"}};
  for (const auto& [check, text] : sound)
    for (std::size_t at = 0; at < text.size(); ++at)
      for (char digit = '0'; digit <= '9'; ++digit) {
        auto wrong = text;
        wrong[at] = digit;
        EXPECT_EQ(has_check_digit(wrong, check), wrong == text) << wrong;
      }
  EXPECT_FALSE(has_check_digit("2633", CheckDigit::Verhoeff));
  EXPECT_EQ(doubts_about(number("2336"), {.check = CheckDigit::Verhoeff}), Doubts{"check_digit"});
}

TEST(NumberRules, NamesOfCheckDigits) {
  EXPECT_EQ(check_digit_named("verhoeff").value(), CheckDigit::Verhoeff);
  EXPECT_EQ(check_digit_named("crc").error().kind, ErrorKind::BadInput);
}

}  // namespace
}  // namespace alcove::sheets
