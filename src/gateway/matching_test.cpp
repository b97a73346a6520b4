#include "gateway/matching.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "gateway/schema.h"
#include "sheets/roster_wire.h"
#include "store/testing.h"
#include "store/trail.h"

namespace alcove::gateway {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kList =
    "register_number,name,subject_code\n2101,Anbu K,CS1001\n2102,Divya R,CS1001\n2107,Meena V,CS1001\n";

// What a Space answers; `maybe` is the number's other reading, as likely.
std::string reply(std::string_view number, std::string_view maybe = {}) {
  const auto box = [](std::string_view field, std::string_view text, const sheets::Posteriors& posteriors) {
    return Json{{"field", field},
                {"value", text},
                {"detection_confidence", 0.9},
                {"posteriors", sheets::posteriors_json(posteriors)}};
  };
  constexpr sheets::ErrorRates kSure{.wrong = 1e-4, .lost = 1e-5, .made_up = 1e-5};
  auto posteriors = sheets::posteriors_of_text(number, kDigits, kSure);
  const auto other = sheets::posteriors_of_text(maybe.empty() ? number : maybe, kDigits, kSure);
  for (std::size_t i = 0; i < posteriors.rows.size(); ++i)
    posteriors.rows[i] = (posteriors.rows[i] + other.rows[i]) / 2;
  return to_text(
      Json{{"success", true},
           {"register_number", number},
           {"subject_code", "CS1001"},
           {"reasons", {"turned"}},
           {"boxes",
            {box("register_number", number, posteriors),
             box("subject_code", "CS1001", sheets::posteriors_of_text("CS1001", "01CS", kSure))}}});
}

class MatchingTest : public testing::Test {
 protected:
  void SetUp() override {
    auto records = store::Connection::open(folder_ / "gateway.sqlite");
    ASSERT_TRUE(records) << records.error().message;
    records_ = std::make_unique<store::Connection>(*std::move(records));
    ASSERT_TRUE(store::migrate(*records_, "gateway", kSchema));
    book_ = std::make_unique<ClassListBook>(ClassListBook::open(folder_.path(), {}).value());
    start();
  }
  void start() { matching_ = std::make_unique<Matching>(Matching::open(folder_.path(), {}, false).value()); }

  void import(std::string_view list) {
    const auto roster = sheets::import_roster(as_bytes(list));
    ASSERT_TRUE(roster && book_->keep(*roster, "class.csv", std::string(list.substr(0, 60))));
  }
  // As the ledger writes a record.
  void record(const std::string& uuid, const std::string& number, const std::string& said,
              const std::string& status = "pending", int attempt = 1) {
    const auto done = records_->execute(
        "INSERT INTO records (uuid, sha256, original_filename, renamed_filename, size, mime_type, "
        "register_number, "
        "subject_code, register_regions, subject_regions, exam_type, attempt_number, holds_attempt, "
        "workflow_status, duplicate_of, decision, margin, roster_candidates, reasons, models, reply, "
        "served_by, "
        "fallback, milliseconds, attempts, error, error_code, batch, batch_index, batch_sequence, "
        "accepted_at, "
        "recorded_at) VALUES ($1, $2, 'scan.pdf', '', 1, 'application/pdf', $3, 'CS1001', 1, 1, 'CIA1', $4, "
        "$5, "
        "$6, '', '', '', '', '[\"turned\"]', '[]', $7, 'remote', '', 1, 1, '', '', '', 0, 0, 0, 0)",
        uuid, "sha-" + uuid, number, attempt, status == "pending" ? 1 : 0, status, said);
    ASSERT_TRUE(done) << done.error().message;
  }
  std::size_t update() {
    const auto written = matching_->update_all();
    EXPECT_TRUE(written) << written.error().message;
    return written.value_or(0);
  }
  std::string column(const std::string& name, const std::string& uuid) {
    const auto row = records_->first(fmt::format("SELECT {} FROM records WHERE uuid = $1", name), uuid);
    return row && *row ? (**row).text(0) : "none";
  }

  store::TestFolder folder_;
  std::unique_ptr<store::Connection> records_;
  std::unique_ptr<ClassListBook> book_;
  std::unique_ptr<Matching> matching_;
};

TEST_F(MatchingTest, WritesWhatItDecidesOnce) {
  import(kList);
  record("a", "2101", reply("2101"));
  EXPECT_EQ(update(), 1U);
  EXPECT_EQ(column("decision", "a"), "accepted");
  EXPECT_EQ(column("renamed_filename", "a"), "2101_CS1001_CIA1.pdf");
  EXPECT_EQ(column("reasons", "a"), R"(["turned"])");
  EXPECT_NE(column("roster_candidates", "a").find("Anbu K"), std::string::npos);
  EXPECT_GT(std::stod(column("margin", "a")), 2);
  EXPECT_EQ(update(), 0U);
  start();
  EXPECT_EQ(update(), 0U) << "after a restart all is as it was";
  const auto check = store::verify_trail(*records_);
  EXPECT_EQ(check->head.rows, 1);
  EXPECT_TRUE(check->faults.empty());
}

TEST_F(MatchingTest, AListThatComesLaterIsUsed) {
  record("a", "2101", reply("2101"));
  update();
  EXPECT_EQ(column("decision", "a"), "accepted") << "by the rules alone";
  EXPECT_EQ(column("margin", "a"), "");
  import("register_number,name\n9999,Somebody Else\n");
  EXPECT_EQ(update(), 1U);
  EXPECT_EQ(column("decision", "a"), "review");
  EXPECT_EQ(column("workflow_status", "a"), "needs_review");
  import(kList);
  EXPECT_EQ(update(), 1U);
  EXPECT_EQ(column("decision", "a"), "accepted");
  EXPECT_EQ(column("workflow_status", "a"), "pending");
}

TEST_F(MatchingTest, AMisreadNumberIsPutRightAndNamesMayChangeHands) {
  import(kList);
  record("a", "2107", reply("2107", "2101"));  // in truth 2101
  record("b", "2107", reply("2107"), "duplicate", 2);
  update();
  EXPECT_EQ(column("register_number", "a"), "2101");
  EXPECT_EQ(column("register_number", "b"), "2107");
  for (const auto* each : {"a", "b"}) {
    EXPECT_EQ(column("decision", each), "accepted") << each;
    EXPECT_EQ(column("workflow_status", each), "pending") << each;
  }
}

TEST_F(MatchingTest, AnAnswerSettlesTheOtherPaperToo) {
  import(kList);
  record("a", "2101", reply("2101", "2107"));
  record("b", "2107", reply("2107", "2101"));
  update();
  EXPECT_EQ(column("decision", "a"), "review");
  EXPECT_EQ(column("decision", "b"), "review");
  ASSERT_TRUE(book_->answer({.uuid = "a", .who = "anna", .answer = {"2107", "CS1001"}}));
  EXPECT_EQ(update(), 2U);
  EXPECT_EQ(column("register_number", "a"), "2107");
  EXPECT_EQ(column("register_number", "b"), "2101");
  EXPECT_EQ(column("decision", "b"), "accepted");
  ASSERT_TRUE(book_->answer({.uuid = "a", .who = "anna", .answer = {"2101", "CS1001"}}));
  update();
  EXPECT_EQ(column("register_number", "a"), "2101") << "the later answer counts";
  EXPECT_EQ(column("register_number", "b"), "2107");
}

TEST_F(MatchingTest, DoublesGoToReviewTogether) {
  import(kList);
  record("a", "2101", reply("2101"));
  update();
  EXPECT_EQ(column("decision", "a"), "accepted");
  record("b", "2101", reply("2101"), "duplicate", 2);
  update();
  for (const auto* each : {"a", "b"}) {
    EXPECT_EQ(column("decision", each), "review") << each;
    EXPECT_NE(column("reasons", each).find("already_taken"), std::string::npos) << each;
  }
  EXPECT_EQ(column("duplicate_of", "b"), "a");
}

TEST_F(MatchingTest, WhatCannotBeReadIsRejected) {
  import(kList);
  record("a", "", "", "unreadable");
  record("b", "2101", "not json");
  update();
  EXPECT_EQ(column("decision", "a"), "rejected");
  EXPECT_EQ(column("decision", "b"), "rejected");
  EXPECT_EQ(column("workflow_status", "a"), "unreadable") << "as the ledger had it";
}

TEST_F(MatchingTest, ImportingTheSameFileAgainIsTheSameVersion) {
  const auto roster = sheets::import_roster(as_bytes(kList)).value();
  const auto first = book_->keep(roster, "class.csv", "abc").value();
  EXPECT_FALSE(first.known);
  EXPECT_EQ(first.entries, 3);
  const auto again = book_->keep(roster, "other.csv", "abc").value();
  EXPECT_TRUE(again.known);
  EXPECT_EQ(again.number, first.number);
  EXPECT_EQ(book_->lists()->roster.size(), 3U);
}

}  // namespace
}  // namespace alcove::gateway
