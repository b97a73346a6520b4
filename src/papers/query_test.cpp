#include "papers/query.h"

#include <gtest/gtest.h>

namespace alcove::papers {
namespace {

using Conditions = std::vector<Condition>;

Query read(std::string_view typed) {
  auto query = read_query(typed);
  EXPECT_TRUE(query) << query.error().message;
  return query ? *query : Query{};
}

TEST(ReadQuery, PartsWordsFromFields) {
  const auto query = read("graph  transformers author:\"Yann LeCun\" venue:neurips year:>=2020 -survey");
  EXPECT_EQ(query.text, "graph transformers");
  EXPECT_EQ(query.conditions, (Conditions{{.field = Field::Author, .value = "Yann LeCun"},
                                          {.field = Field::Venue, .value = "neurips"},
                                          {.field = Field::Year, .value = ">=2020", .from = 2020},
                                          {.field = Field::Phrase, .value = "survey", .excluded = true}}));
}

TEST(ReadQuery, RanksByAPhraseAndDemandsIt) {
  const auto query = read("\"exact  phrase\" more -\"not this\" -author:smith");
  EXPECT_EQ(query.text, "exact phrase more");
  EXPECT_EQ(query.conditions, (Conditions{{.value = "exact phrase"},
                                          {.value = "not this", .excluded = true},
                                          {.field = Field::Author, .value = "smith", .excluded = true}}));
}

TEST(ReadQuery, LeavesTextThatOnlyLooksLikeSyntax) {
  for (const auto* typed : {"BERT: Pre-training", "ratio 3:4", "a \"quote that never ends", "well - known",
                            "--flag", "-", "author: nobody", "https://example.org"}) {
    EXPECT_EQ(read(typed).text, typed);
    EXPECT_TRUE(read(typed).conditions.empty()) << typed;
  }
  EXPECT_EQ(read("title:\"\" x").conditions, Conditions{});
}

TEST(ReadQuery, TakesAnAbstractAsItIs) {
  const auto abstract = "title:x -word \"quoted\" " + std::string(400, 'a');
  EXPECT_EQ(read(abstract).text, abstract);
  EXPECT_TRUE(read(abstract).conditions.empty());
}

TEST(ReadQuery, TakesAnything) {
  EXPECT_EQ(read("").text, "");
  EXPECT_EQ(read(" \t\n").text, "");
  EXPECT_EQ(read("😀 \x01\xFF").text, "😀 \xFF");
  EXPECT_EQ(read("AND OR NOT NEAR(a b) * ^ ( '").text, "AND OR NOT NEAR(a b) * ^ ( '");
  EXPECT_EQ(read_query(std::string((1u << 20) + 1, 'a')).error().kind, ErrorKind::TooLarge);
}

TEST(YearCondition, KnowsTheWaysToWriteYears) {
  const auto range = [](std::string_view text) {
    const auto condition = year_condition(text);
    return condition ? std::pair(condition->from, condition->to) : std::pair(-1, -1);
  };
  EXPECT_EQ(range("2020"), std::pair(2020, 2020));
  EXPECT_EQ(range(">=2020"), std::pair(2020, 9999));
  EXPECT_EQ(range(">2020"), std::pair(2021, 9999));
  EXPECT_EQ(range("<2020"), std::pair(0, 2019));
  EXPECT_EQ(range("<=2020"), std::pair(0, 2020));
  EXPECT_EQ(range("2020..2023"), std::pair(2020, 2023));
  EXPECT_EQ(range("2020-2023"), std::pair(2020, 2023));
  for (const auto* no : {"", "soon", "20x", ">=", "..", "2020..", "-2020", "99999999999999999999"})
    EXPECT_EQ(range(no), std::pair(-1, -1)) << no;
  EXPECT_EQ(read_query("year:soon").error().message,
            "year:soon is not a year; write year:2024, year:>=2024 or year:2020..2024");
}

TEST(ToText, IsReadBackAsTheSame) {
  for (const auto* typed :
       {"-author:\"Yann LeCun\"", "year:2020..2023", "keyword:diffusion", "\"exact phrase\"", "-not\"-\"a"})
    EXPECT_EQ(to_text(read(typed).conditions.at(0)), typed);
}

}  // namespace
}  // namespace alcove::papers
