#include "sheets/roster_wire.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

namespace alcove::sheets {
namespace {

Posteriors some(std::size_t steps, std::string alphabet, unsigned seed) {
  std::mt19937 random(seed);
  std::exponential_distribution<float> weight(1);
  Posteriors made{.rows = {}, .alphabet = std::move(alphabet)};
  for (std::size_t step = 0; step < steps; ++step) {
    std::vector<float> row(made.classes());
    float sum = 0;
    for (auto& each : row) sum += each = std::pow(weight(random), 6.0F);  // sure, as readers are
    for (const auto each : row) made.rows.push_back(each / sum);
  }
  return made;
}

TEST(PosteriorsJson, ComesBackWithinAThirtySecondOfALogarithm) {
  const auto sent = some(64, "0123456789", 1);
  const auto json = posteriors_json(sent);
  EXPECT_LT(to_text(json).size(), 1100U);
  const auto back = posteriors_from(*parse_json(to_text(json)));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->alphabet, sent.alphabet);
  ASSERT_EQ(back->rows.size(), sent.rows.size());
  for (std::size_t i = 0; i < sent.rows.size(); ++i) {
    if (sent.rows[i] < 1e-6F) continue;  // near the least that a byte can say
    EXPECT_NEAR(std::log(back->rows[i]), std::log(sent.rows[i]), 0.07);
  }
  EXPECT_EQ(best_path(*back), best_path(sent));
}

TEST(PosteriorsJson, ScoresStayWhatTheyWere) {
  const auto sent = some(64, "0123456789", 2);
  const auto back = posteriors_from(posteriors_json(sent)).value();
  auto text = best_path(sent);
  EXPECT_NEAR(log_probability(back, text), log_probability(sent, text), 0.5);
  text.front() = text.front() == '9' ? '8' : '9';
  EXPECT_NEAR(log_probability(back, text), log_probability(sent, text), 1);
}

TEST(PosteriorsFrom, RefusesWhatDoesNotFitTogether) {
  const auto sound = posteriors_json(some(3, "01", 3));
  ASSERT_TRUE(posteriors_from(sound));
  const auto with = [&](const char* name, Json value) {
    auto json = sound;
    json[name] = std::move(value);
    return json;
  };
  for (const auto& broken : {with("alphabet", ""),
                             with("alphabet", "00"),
                             with("alphabet", "0\n"),
                             with("alphabet", 1),
                             with("alphabet", std::string(200, '0')),
                             with("alphabet", "012"),
                             with("steps", -1),
                             with("steps", 4),
                             with("steps", 1.5),
                             with("steps", 1'000'000'000),
                             with("steps", "3"),
                             with("steps", nullptr),
                             with("data", ""),
                             with("data", "!!!!"),
                             with("data", nullptr),
                             with("data", std::string(100'000, 'A')),
                             Json(7),
                             Json::array(),
                             Json(nullptr),
                             Json("text")}) {
    const auto refused = posteriors_from(broken);
    ASSERT_FALSE(refused) << to_text(broken).substr(0, 100);
    EXPECT_TRUE(refused.error().kind == ErrorKind::Unreadable || refused.error().kind == ErrorKind::BadInput);
  }
}

Json box(std::string_view field, const Posteriors& posteriors, double detection) {
  return {{"field", field},
          {"value", best_path(posteriors)},
          {"detection_confidence", detection},
          {"posteriors", posteriors_json(posteriors)}};
}

TEST(EvidenceOfAnswer, TakesPosteriorsWhereTheyCame) {
  const auto number = posteriors_of_text("2103", "0123456789"), code = posteriors_of_text("HS49", "0489HS");
  const Json answer{{"register_number", "2103"},
                    {"subject_code", "HS49"},
                    {"boxes",
                     {box("register_number", number, 0.9), box("register_number", number, 0.2),
                      box("subject_code", code, 0.8)}}};
  const auto evidence = evidence_of_answer(answer);
  ASSERT_TRUE(evidence) << evidence.error().message;
  ASSERT_EQ(evidence->register_number.boxes.size(), 2U);
  EXPECT_EQ(evidence->register_number.boxes[0].text, "2103");
  EXPECT_EQ(evidence->register_number.boxes[1].weight, 0.2);
  EXPECT_FALSE(evidence->register_number.text_only);
  EXPECT_EQ(evidence->subject_code.boxes.at(0).posteriors.alphabet, "0489HS");
}

TEST(EvidenceOfAnswer, MakesDoWithTextAndWithNothing) {
  const auto text = evidence_of_answer({{"register_number", "2103"}, {"subject_code", nullptr}}).value();
  EXPECT_TRUE(text.register_number.text_only);
  EXPECT_EQ(text.register_number.boxes.at(0).text, "2103");
  EXPECT_TRUE(text.subject_code.boxes.empty());
  for (const auto& odd : {Json(nullptr), Json(3), Json::array(), Json::object(), Json{{"boxes", 7}},
                          Json{{"boxes", {1, "x", nullptr}}}, Json{{"register_number", {1, 2}}}}) {
    const auto nothing = evidence_of_answer(odd);
    ASSERT_TRUE(nothing) << to_text(odd);
    EXPECT_TRUE(nothing->register_number.boxes.empty());
  }
}

TEST(EvidenceOfAnswer, IsBounded) {
  const auto number = posteriors_of_text("2103", "0123456789");
  Json answer{{"boxes", Json::array()}};
  for (int i = 0; i < 100; ++i) answer["boxes"].push_back(box("register_number", number, 1e9));
  const auto evidence = evidence_of_answer(answer).value();
  EXPECT_EQ(evidence.register_number.boxes.size(), kMaxEvidenceBoxes);
  EXPECT_EQ(evidence.register_number.boxes[0].weight, 1);
  answer["boxes"][0]["posteriors"]["steps"] = 5;
  EXPECT_FALSE(evidence_of_answer(answer)) << "broken is not the same as missing";
}

}  // namespace
}  // namespace alcove::sheets
