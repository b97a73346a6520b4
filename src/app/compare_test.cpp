#include "app/compare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace alcove::app {
namespace {

Json reading(const char* number, double confidence) {
  return {{"success", true},
          {"register_number", number},
          {"subject_code", nullptr},
          {"register_candidates",
           {{{"value", number}, {"confidence", confidence}, {"detection_confidence", 0.9}}}},
          {"subject_candidates", Json::array()}};
}

const Difference& of(const std::vector<Difference>& list, std::string_view field) {
  return *std::ranges::find(list, field, &Difference::field);
}

TEST(Compare, AReadingAgreesWithItself) {
  const auto same = reading("212223060100", 0.98);
  for (const auto& difference : compare(same, same)) {
    EXPECT_TRUE(difference.agrees) << difference.field;
    EXPECT_EQ(difference.distance.value_or(0), 0) << difference.field;
  }
}

TEST(Compare, SaysByHowMuchTwoReadingsDiffer) {
  const auto list = compare(reading("212223060100", 0.98), reading("21222306010", 0.9));
  EXPECT_FALSE(of(list, "register_number").agrees);
  EXPECT_EQ(of(list, "register_number").distance, 1) << "one digit lost";
  EXPECT_FALSE(of(list, "register_confidence").agrees);
  EXPECT_NEAR(*of(list, "register_confidence").distance, 0.08, 1e-9);
  EXPECT_TRUE(of(list, "register_detection").agrees);
  EXPECT_TRUE(of(list, "subject_code").agrees) << "missing on both sides";
}

TEST(Compare, SmallDifferencesOfNumbersAreNone) {
  EXPECT_TRUE(of(compare(reading("1", 0.98), reading("1", 0.975)), "register_confidence").agrees);
}

TEST(Compare, WhatIsNoReadingAtAllDiffers) {
  for (const auto& theirs : {Json(), Json::array(), Json({{"detail", "no"}}), Json("text"),
                             Json({{"register_candidates", 7}, {"register_number", {1, 2}}})}) {
    const auto list = compare(reading("12", 0.98), theirs);
    EXPECT_FALSE(of(list, "success").agrees) << to_text(theirs);
    EXPECT_FALSE(of(list, "register_number").agrees);
    EXPECT_FALSE(of(list, "register_confidence").agrees);
  }
}

TEST(EditDistance, CountsSymbols) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("19AI405", ""), 7);
  EXPECT_EQ(edit_distance("19AI405", "19A1405"), 1);
  EXPECT_EQ(edit_distance("12345", "2345"), 1);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
}

}  // namespace
}  // namespace alcove::app
