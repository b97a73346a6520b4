#include "sheets/roster_decisions.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sheets/roster_wire.h"

namespace alcove::sheets {
namespace {

using Reasons = std::vector<std::string>;

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kSymbols = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr ErrorRates kSure{.wrong = 1e-4, .lost = 1e-5, .made_up = 1e-5};

Json box(std::string_view field, std::string_view text, const Posteriors& posteriors) {
  auto symbols = Json::array();
  for (const char each : text) symbols.push_back({{"value", std::string(1, each)}, {"confidence", 0.99}});
  return {{"field", field},
          {"value", text},
          {"symbols", symbols},
          {"detection_confidence", 0.9},
          {"posteriors", posteriors_json(posteriors)}};
}

// What a Space answers; `maybe` has the register number's other reading, as likely as `number`.
Json answer(std::string_view number, std::string_view subject, std::string_view maybe = {}) {
  auto posteriors = posteriors_of_text(number, kDigits, kSure);
  if (!maybe.empty()) {
    const auto other = posteriors_of_text(maybe, kDigits, kSure);
    for (std::size_t i = 0; i < posteriors.rows.size(); ++i)
      posteriors.rows[i] = (posteriors.rows[i] + other.rows[i]) / 2;
  }
  return {{"success", true},
          {"register_number", number},
          {"subject_code", subject},
          {"boxes",
           {box("register_number", number, posteriors),
            box("subject_code", subject, posteriors_of_text(subject, kSymbols, kSure))}}};
}

ClassLists lists() {
  ClassLists made;
  for (const auto* number : {"2101", "2102", "2103", "2107"})
    made.roster.push_back({.register_number = number,
                           .name = std::string("Name ") + number,
                           .subject_code = "CS1001",
                           .email = {},
                           .participant = {}});
  made.roster.push_back(
      {.register_number = "2109", .name = "Other", .subject_code = "MA2002", .email = {}, .participant = {}});
  made.roster.push_back({.register_number = "2101",
                         .name = "Name 2101",
                         .subject_code = "MA2002",
                         .email = {},
                         .participant = {}});
  return made;
}

Paper paper(const Office& office, std::string id, const Json& said, std::string exam = "CIA1") {
  auto scores = office.score(said);
  EXPECT_TRUE(scores) << scores.error().message;
  return {.id = std::move(id),
          .exam = std::move(exam),
          .scores = scores.value_or(PaperScores{}),
          .confirmed = {}};
}

TEST(Office, AcceptsWhatFitsTheList) {
  const Office office(lists());
  const std::vector papers{paper(office, "a", answer("2103", "CS1001"))};
  const auto judged = office.judge(papers);
  EXPECT_EQ(judged[0].decision, Decision::Accepted);
  EXPECT_EQ(judged[0].reasons, Reasons{});
  EXPECT_EQ(judged[0].register_number, "2103");
  EXPECT_EQ(judged[0].name, "Name 2103");
  EXPECT_EQ(judged[0].subject_code, "CS1001");
  ASSERT_FALSE(judged[0].candidates.empty());
  EXPECT_EQ(judged[0].candidates[0].register_number, "2103");
}

TEST(Office, APersonsAnswerSettlesAnothersDoubt) {
  const Office office(lists());
  std::vector papers{paper(office, "a", answer("2101", "CS1001", "2107")),
                     paper(office, "b", answer("2107", "CS1001", "2101"))};
  for (const auto& each : office.judge(papers)) EXPECT_EQ(each.reasons, Reasons{"low_margin"});
  papers[0].confirmed = Answer{"2107", "CS1001"};
  const auto judged = office.judge(papers);
  EXPECT_EQ(judged[0].decision, Decision::Accepted);
  EXPECT_EQ(judged[0].register_number, "2107");
  EXPECT_EQ(judged[1].decision, Decision::Accepted);
  EXPECT_EQ(judged[1].register_number, "2101");
}

TEST(Office, ExamsAndSubjectsDoNotCompete) {
  const Office office(lists());
  const std::vector papers{
      paper(office, "a", answer("2101", "CS1001")), paper(office, "b", answer("2101", "MA2002")),
      paper(office, "c", answer("2101", "CS1001"), "CIA2"), paper(office, "d", answer("2109", "CS1001"))};
  const auto judged = office.judge(papers);
  for (const std::size_t each : {0U, 1U, 2U}) EXPECT_EQ(judged[each].decision, Decision::Accepted) << each;
  EXPECT_EQ(judged[3].decision, Decision::Review) << "that one sits another subject";
  EXPECT_NE(judged[3].register_number, "2109");
}

TEST(Office, TwoPapersOfOneNameNameEachOther) {
  const Office office(lists());
  const std::vector papers{paper(office, "a", answer("2103", "CS1001")),
                           paper(office, "b", answer("2103", "CS1001"))};
  const auto judged = office.judge(papers);
  for (const auto& each : judged) EXPECT_EQ(each.decision, Decision::Review);
  EXPECT_EQ(judged[0].rival, "b");
  EXPECT_EQ(judged[1].rival, "a");
}

TEST(Office, SaysWhatIsMissing) {
  const Office office(lists());
  const auto blank = answer("", "CS1001");
  const Json nothing{
      {"success", true}, {"register_number", nullptr}, {"subject_code", nullptr}, {"boxes", Json::array()}};
  const std::vector papers{paper(office, "a", blank), paper(office, "b", nothing),
                           paper(office, "c", answer("2103", "XX9999"))};
  const auto judged = office.judge(papers);
  EXPECT_EQ(judged[0].decision, Decision::Review);
  EXPECT_EQ(judged[0].reasons, (Reasons{"blank_register", "not_in_roster"}));
  EXPECT_EQ(judged[1].decision, Decision::Rejected);
  EXPECT_EQ(judged[1].reasons, (Reasons{"no_subject_box", "no_register_box", "not_in_roster"}));
  EXPECT_EQ(judged[2].reasons, Reasons{"subject_not_listed"});
  EXPECT_EQ(judged[2].register_number, "2103") << "still the best guess";
}

TEST(Office, WithoutARosterTheRulesDecide) {
  const Office office({.roster = {}, .subjects = {}, .rules = {.length = 4, .pattern = "21##"}});
  auto doubtful = answer("2103", "CS1001");
  doubtful["boxes"][0]["symbols"][2]["confidence"] = 0.5;
  const std::vector papers{paper(office, "a", answer("2103", "CS1001")),
                           paper(office, "b", answer("210", "CS1001")), paper(office, "c", doubtful)};
  const auto judged = office.judge(papers);
  EXPECT_EQ(judged[0].decision, Decision::Accepted);
  EXPECT_EQ(judged[0].register_number, "2103");
  EXPECT_EQ(judged[1].reasons, (Reasons{"length_3", "pattern"}));
  EXPECT_EQ(judged[2].reasons, Reasons{"low_symbol"});
}

TEST(Office, ReadersThatSendTextAloneStillWork) {
  const Office office(lists());
  const Json said{{"success", true}, {"register_number", "2103"}, {"subject_code", "CS1001"}};
  const std::vector papers{paper(office, "a", said)};
  const auto judged = office.judge(papers);
  EXPECT_EQ(judged[0].register_number, "2103");
  EXPECT_EQ(judged[0].subject_code, "CS1001");
}

TEST(Office, RefusesPosteriorsThatAreNotSound) {
  auto broken = answer("2103", "CS1001");
  broken["boxes"][0]["posteriors"]["data"] = "AAAA";
  EXPECT_EQ(Office(lists()).score(broken).error().kind, ErrorKind::Unreadable);
}

}  // namespace
}  // namespace alcove::sheets
