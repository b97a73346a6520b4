#include "store/record_filter.h"

#include <gtest/gtest.h>

#include "store/records.h"

namespace alcove::store {
namespace {

Json json(std::string_view text) { return *parse_json(text); }

const Json kPaper =
    json(R"({"title":"Graphs","year":2020,"score":0.5,"open":true,"tags":["a","b"],"sizes":[1,2]})");
const std::optional<std::string> kText = "Colours of Graphs, a survey";

bool where(std::string_view filter, const Json& metadata = kPaper) {
  const auto parsed = RecordFilter::parse(json(filter), Json());
  EXPECT_TRUE(parsed) << filter << ": " << parsed.error().message;
  return parsed && parsed->matches(metadata, kText);
}

bool text(std::string_view filter, const std::optional<std::string>& document = kText) {
  const auto parsed = RecordFilter::parse(Json(), json(filter));
  EXPECT_TRUE(parsed) << filter << ": " << parsed.error().message;
  return parsed && parsed->matches(kPaper, document);
}

TEST(RecordFilter, ComparesValues) {
  EXPECT_TRUE(where(R"({"title":"Graphs"})"));
  EXPECT_FALSE(where(R"({"title":"graphs"})"));
  EXPECT_TRUE(where(R"({"year":{"$gte":2020}})"));
  EXPECT_TRUE(where(R"({"year":2020.0})"));
  EXPECT_FALSE(where(R"({"year":{"$lt":2020}})"));
  EXPECT_FALSE(where(R"({"title":{"$gt":1}})"));
  EXPECT_FALSE(where(R"({"open":1})"));
  EXPECT_TRUE(where(R"({"year":{"$in":[2019,2020]}})"));
  EXPECT_FALSE(where(R"({"year":{"$nin":[2019,2020]}})"));
}

TEST(RecordFilter, LooksIntoListsByKindAndValue) {
  EXPECT_TRUE(where(R"({"tags":{"$contains":"a"}})"));
  EXPECT_FALSE(where(R"({"sizes":{"$contains":1.0}})"));
  EXPECT_TRUE(where(R"({"sizes":{"$contains":1}})"));
  EXPECT_FALSE(where(R"({"title":{"$contains":"Graphs"}})"));
  EXPECT_TRUE(where(R"({"title":{"$not_contains":"Graphs"}})"));
}

TEST(RecordFilter, WhatIsMissingPassesOnlyInTheNegative) {
  for (const auto& metadata : {Json(), json(R"({"other":1})")}) {
    EXPECT_TRUE(where(R"({"year":{"$ne":1}})", metadata));
    EXPECT_TRUE(where(R"({"year":{"$nin":[1]}})", metadata));
    EXPECT_TRUE(where(R"({"tags":{"$not_contains":"a"}})", metadata));
    EXPECT_FALSE(where(R"({"year":1})", metadata));
    EXPECT_FALSE(where(R"({"year":{"$lt":1}})", metadata));
  }
  EXPECT_FALSE(text(R"({"$contains":""})", std::nullopt));
  EXPECT_TRUE(text(R"({"$not_contains":"x"})", std::nullopt));
  EXPECT_TRUE(text(R"({"$not_regex":"x"})", std::nullopt));
}

TEST(RecordFilter, JoinsConditions) {
  EXPECT_TRUE(where(R"({"$and":[{"year":2020},{"$or":[{"title":"No"},{"open":true}]}]})"));
  EXPECT_TRUE(where(R"({"$and":[]})"));
  EXPECT_FALSE(where(R"({"$or":[]})"));
  EXPECT_TRUE(where(R"({"$and":[{"year":2020},{"#document":{"$contains":"survey"}}]})"));
}

TEST(RecordFilter, ReadsTexts) {
  EXPECT_TRUE(text(R"({"$contains":"Graphs"})"));
  EXPECT_FALSE(text(R"({"$contains":"graphs"})"));
  EXPECT_TRUE(text(R"({"$regex":"(?i)graphs, .* survey$"})"));
  EXPECT_TRUE(text(R"({"$or":[{"$contains":"no"},{"$not_regex":"^Graphs"}]})"));
  EXPECT_TRUE(text(R"({"$contains":""})"));
}

TEST(RecordFilter, RefusesWhatTheGrammarHasNot) {
  for (const auto* bad :
       {"[]", "1", "{}", R"({"a":1,"b":2})", R"({"a":null})", R"({"a":{}})", R"({"a":{"$eq":null}})",
        R"({"a":{"$gt":"x"}})", R"({"a":{"$in":[]}})", R"({"a":{"$in":[1,1.5]}})", R"({"a":{"$in":"x"}})",
        R"({"a":{"$like":"x"}})", R"({"$and":{}})", R"({"$nor":[]})", R"({"a":{"$regex":"x"}})",
        R"({"#document":"x"})", R"({"#document":{"$eq":"x"}})", R"({"a":{"$gt":1,"$lt":2}})",
        R"({"a":["x"]})"}) {
    const auto parsed = RecordFilter::parse(json(bad), Json());
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().kind, ErrorKind::BadInput);
    EXPECT_TRUE(parsed.error().message.starts_with("Invalid where clause")) << parsed.error().message;
  }
  for (const auto* bad : {R"({"$regex":"("})", R"({"$regex":"((a{1000}){1000}){1000}"})",
                          R"({"$contains":1})", R"({"text":{"$contains":"x"}})", R"({"$eq":"x"})"})
    EXPECT_FALSE(RecordFilter::parse(Json(), json(bad))) << bad;
}

TEST(Distance, IsChromas) {
  const std::vector<float> a{2, 1}, b{3, 4}, zero{0, 0};
  EXPECT_FLOAT_EQ(distance(Space::L2, a, b), 10);
  EXPECT_NEAR(distance(Space::Cosine, a, b), 0.10557282, 1e-7);
  EXPECT_FLOAT_EQ(distance(Space::Ip, a, b), -9);
  EXPECT_FLOAT_EQ(distance(Space::Cosine, a, zero), 1);
}

}  // namespace
}  // namespace alcove::store
