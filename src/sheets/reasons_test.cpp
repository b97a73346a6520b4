#include "sheets/reasons.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "sheets/testing.h"

namespace alcove::sheets {
namespace {

using Codes = std::vector<std::string>;

TEST(Reasons, AGoodReadingHasNone) {
  EXPECT_EQ(reasons_for(both(), {}), Codes{});
  EXPECT_FALSE(wants_attention(both()));
}

TEST(Reasons, SayWhichFieldIsMissing) {
  EXPECT_EQ(reasons_for({}, {}), (Codes{"no_register_box", "no_subject_box"}));
  auto reading = both();
  reading.register_number = field({candidate("", 0, 0.9F)});
  EXPECT_EQ(reasons_for(reading, {}), Codes{"blank_register"});
  reading.subject_code = {};
  EXPECT_EQ(reasons_for(reading, {}), (Codes{"no_subject_box", "blank_register"}));
}

TEST(Reasons, TwoBoxesAreTwoPlacesNotOnePlaceSeenTwice) {
  auto reading = both();
  reading.register_number.candidates.push_back(candidate("7", 0.5F, 0.8F, {12, 11, 305, 62}));
  EXPECT_EQ(reasons_for(reading, {}), Codes{});
  reading.register_number.candidates.push_back(candidate("9", 0.5F, 0.3F, {10, 200, 310, 250}));
  EXPECT_EQ(reasons_for(reading, {}), Codes{}) << "a weak box is no rival";
  reading.register_number.candidates.push_back(candidate("8", 0.5F, 0.8F, {10, 400, 310, 450}));
  EXPECT_EQ(reasons_for(reading, {}), Codes{"two_register_boxes"});
}

TEST(Reasons, LengthCountsOnlyWhenOneIsExpected) {
  auto reading = both();
  reading.register_number = field({candidate("21222306010", 0.95F, 0.9F)});
  EXPECT_EQ(reasons_for(reading, {}), Codes{});
  EXPECT_EQ(reasons_for(reading, {.register_length = 11}), Codes{});
  EXPECT_EQ(reasons_for(reading, {.register_length = 12}), Codes{"length_11"});
  EXPECT_NE(sentence_of("length_11", reading).find("11 digits"), std::string::npos);
}

TEST(Reasons, AnUncertainReadingOfBothFieldsIsOneCodeAndTwoSentences) {
  const auto reading = both(0.41F);
  EXPECT_EQ(reasons_for(reading, {}), Codes{"low_confidence"});
  const auto sentence = sentence_of("low_confidence", reading);
  EXPECT_NE(sentence.find("register number is uncertain (41 %)"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("subject code is uncertain (41 %)"), std::string::npos) << sentence;
}

TEST(Reasons, ASmallBoxSaysHowSmall) {
  auto reading = both();
  reading.register_number = field({candidate("212223060100", 0.95F, 0.9F, {10, 10, 200, 24})});
  EXPECT_EQ(reasons_for(reading, {}), Codes{"small_box"});
  EXPECT_EQ(sentence_of("small_box", reading).find("Retake: the box of the register number is 14 px high"),
            0);
}

TEST(Reasons, ABlurredBoxIsRetaken) {
  auto reading = both();
  reading.subject_code.candidates[0].sharpness = 0.05F;
  EXPECT_EQ(reasons_for(reading, {}), Codes{"blurred"});
  EXPECT_EQ(sentence_of("blurred", reading).find("Retake: the subject code is blurred"), 0);
}

TEST(Reasons, WhatWasDoneToThePageIsSaidAndWantsNobody) {
  auto reading = both();
  reading.orientation = 270;
  reading.skew = -3.2;
  reading.page = 2;
  reading.pages = 3;
  reading.reasons = reasons_for(reading, {});
  EXPECT_EQ(reading.reasons, (Codes{"turned", "straightened", "later_page"}));
  EXPECT_FALSE(wants_attention(reading));
  EXPECT_NE(sentence_of("turned", reading).find("270°"), std::string::npos);
  EXPECT_NE(sentence_of("straightened", reading).find("3.2° counter-clockwise"), std::string::npos);
  reading.reasons.emplace_back("low_confidence");
  EXPECT_TRUE(wants_attention(reading));
}

TEST(Reasons, AllHaveTheirLineInTheDocument) {
  std::ifstream in(ALCOVE_SOURCE_DIR "/docs/reasons.md");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  for (const auto code : reason_codes())
    EXPECT_NE(text.find(std::string("`").append(code).append("`")), std::string::npos)
        << code << " is not in docs/reasons.md";
}

}  // namespace
}  // namespace alcove::sheets
