#include "gateway/ledger.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <set>
#include <thread>

#include "gateway/intake.h"
#include "store/testing.h"

namespace alcove::gateway {
namespace {

using store::Dialect;

Upload upload(std::string_view content, const char* name = "a.pdf") {
  return {
      .file_name = name, .exam_type = "CIA1", .mime_type = "application/pdf", .content = as_bytes(content)};
}

Outcome reading(const char* number, const char* code) {
  return {.served_by = Server::Remote,
          .reply = "{}",
          .register_number = number,
          .subject_code = code,
          .models = "[]",
          .reasons = "[]"};
}

class LedgerOnBoth : public testing::TestWithParam<Dialect> {
 protected:
  LedgerSettings settings() {
    if (GetParam() == Dialect::Postgres && !server_) server_ = std::make_unique<store::TestPostgres>();
    return {.data = folder_.path() / "data", .database = server_ ? server_->url() : ""};
  }
  std::unique_ptr<Ledger> open(const LedgerSettings& settings) {
    auto ledger = Ledger::open(settings);
    if (!ledger) throw std::runtime_error(ledger.error().message);
    return *std::move(ledger);
  }
  static Claim claimed(Ledger& ledger, const std::string& owner) {
    const auto claim = ledger.claim(owner);
    if (!claim || !*claim) throw std::runtime_error("nothing to claim");
    return **claim;
  }

  store::TestFolder folder_;
  std::unique_ptr<store::TestPostgres> server_;
};

TEST_P(LedgerOnBoth, ASheetIsRecordedOnce) {
  const auto ledger = open(settings());
  const auto receipt = ledger->accept(upload("%PDF one"));
  ASSERT_TRUE(receipt) << receipt.error().message;
  EXPECT_FALSE(receipt->known);
  const auto claim = claimed(*ledger, "a");
  EXPECT_EQ(claim.uuid, receipt->uuid);
  EXPECT_EQ(ledger->content(claim.sha256), "%PDF one");
  EXPECT_FALSE(*ledger->claim("b")) << "it is under way";
  const auto record = ledger->record(claim, "a", reading("123", "CS1"));
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->renamed_filename, "123_CS1_CIA1.pdf");
  EXPECT_EQ(record->workflow_status, "pending");
  EXPECT_EQ(record->attempt_number, 1);
  EXPECT_EQ(ledger->record(claim, "a", reading("123", "CS1")).error().code, "lease_lost");
  EXPECT_EQ(ledger->counts()->records, 1);
  // Handed in again: the same sheet.
  const auto again = ledger->accept(upload("%PDF one"));
  EXPECT_TRUE(again->known);
  EXPECT_EQ(again->uuid, receipt->uuid);
  EXPECT_FALSE(*ledger->claim("a"));
  EXPECT_EQ((*ledger->find(receipt->uuid))->sha256, receipt->sha256);
}

TEST_P(LedgerOnBoth, WhatALostReaderHeldIsReadByAnother) {
  auto quick = settings();
  quick.lease_ms = 50;
  const auto ledger = open(quick);
  ASSERT_TRUE(ledger->accept(upload("%PDF one")));
  const auto first = claimed(*ledger, "a");
  std::this_thread::sleep_for(std::chrono::milliseconds(80));
  const auto second = claimed(*ledger, "b");
  EXPECT_EQ(second.uuid, first.uuid);
  EXPECT_EQ(second.crashes, 1);
  EXPECT_EQ(ledger->record(first, "a", reading("1", "A")).error().code, "lease_lost");
  EXPECT_TRUE(ledger->record(second, "b", reading("1", "A")));
  EXPECT_EQ(ledger->counts()->records, 1);
}

TEST_P(LedgerOnBoth, TheSameStudentAgainIsFlaggedAndLinked) {
  auto two = settings();
  two.attempts_allowed = 2;
  const auto ledger = open(two);
  std::vector<Record> records;
  for (const auto* content : {"%PDF 1", "%PDF 2", "%PDF 3"}) {
    ASSERT_TRUE(ledger->accept(upload(content)));
    const auto record = ledger->record(claimed(*ledger, "a"), "a", reading("123", "CS1"));
    ASSERT_TRUE(record) << record.error().message;
    records.push_back(*record);
  }
  EXPECT_EQ(records[1].attempt_number, 2);
  EXPECT_EQ(records[1].workflow_status, "pending");
  EXPECT_EQ(records[2].workflow_status, "duplicate");
  EXPECT_EQ(records[2].duplicate_of, records[1].uuid);
  // The same bytes under another name.
  ASSERT_TRUE(ledger->accept(upload("%PDF 1", "copy.pdf")));
  const auto copy = ledger->record(claimed(*ledger, "a"), "a", reading("123", "CS1"));
  EXPECT_EQ(copy->workflow_status, "duplicate");
  EXPECT_EQ(copy->duplicate_of, records[0].uuid);
}

TEST_P(LedgerOnBoth, ManyReadersShareTheQueue) {
  const auto ledger = open(settings());
  constexpr int kSheets = 40;
  for (int i = 0; i < kSheets; ++i) ASSERT_TRUE(ledger->accept(upload("%PDF " + std::to_string(i))));
  std::vector<std::thread> readers;
  std::atomic<int> failures = 0;
  for (int reader = 0; reader < 3; ++reader)
    readers.emplace_back([&, reader] {
      const auto owner = std::to_string(reader);
      while (true) {
        const auto claim = ledger->claim(owner);
        if (!claim) ++failures;
        if (!claim || !*claim) return;
        if (!ledger->record(**claim, owner, reading("7", "CS1"))) ++failures;
      }
    });
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(failures, 0);
  std::set<std::string> contents;
  int first_attempts = 0;
  ASSERT_TRUE(ledger->each([&](const Record& record) {
    contents.insert(record.sha256);
    first_attempts += record.workflow_status == "pending" ? 1 : 0;
  }));
  EXPECT_EQ(contents.size(), kSheets);
  EXPECT_EQ(first_attempts, 1) << "one student has one first attempt";
}

TEST_P(LedgerOnBoth, AJobIsRecordedInOneOrder) {
  const auto ledger = open(settings());
  ASSERT_TRUE(ledger->put_job("monday", "digest", 2)->is_new);
  EXPECT_FALSE(ledger->put_job("monday", "digest", 2)->is_new);
  EXPECT_EQ(ledger->put_job("monday", "other", 2).error().code, "other_content");
  for (int i = 0; i < 2; ++i) {
    auto sheet = upload("%PDF same", "same.pdf");
    sheet.batch = "monday";
    sheet.batch_index = i;
    ASSERT_FALSE(ledger->accept(sheet)->known);
    ASSERT_TRUE(ledger->accept(sheet)->known);
  }
  // A single sheet goes before a job.
  const auto single = ledger->accept(upload("%PDF single"));
  EXPECT_EQ(claimed(*ledger, "a").uuid, single->uuid);
  const auto one = claimed(*ledger, "a"), two = claimed(*ledger, "a");
  ASSERT_TRUE(ledger->record(two, "a", reading("", "")));
  ASSERT_TRUE(ledger->record(one, "a", reading("", "")));
  const auto records = ledger->job_records("monday", 0, 10);
  ASSERT_EQ(records->size(), 2U);
  EXPECT_EQ(records->at(0).uuid, two.uuid);
  EXPECT_EQ(records->at(0).workflow_status, "duplicate") << "its content came twice";
  EXPECT_EQ(records->at(1).workflow_status, "needs_review");
  EXPECT_EQ(records->at(1).batch_sequence, 2);
  EXPECT_EQ(ledger->job_records("monday", 1, 10)->size(), 1U);
  EXPECT_EQ((*ledger->job("monday"))->recorded, 2);
}

TEST_P(LedgerOnBoth, WhatCameBackWaitsAndIsHurried) {
  const auto ledger = open(settings());
  ASSERT_TRUE(ledger->accept(upload("%PDF one")));
  const auto claim = claimed(*ledger, "a");
  ASSERT_TRUE(ledger->postpone(claim, "a", 30'000));
  EXPECT_FALSE(*ledger->claim("a"));
  ASSERT_TRUE(ledger->hurry());
  const auto again = claimed(*ledger, "a");
  EXPECT_EQ(again.crashes, 0) << "it came back, so it ended nobody";
  EXPECT_EQ(again.attempts, 1);
  ASSERT_TRUE(ledger->release("a"));
  EXPECT_TRUE(*ledger->claim("b"));
}

TEST_P(LedgerOnBoth, AClockThatGoesBackLosesNothing) {
  const auto ledger = open(settings());
  ASSERT_TRUE(ledger->accept(upload("%PDF one")));
  claimed(*ledger, "a");
  // As if the lease had been given by a clock that was a day ahead.
  auto connection =
      store::Connection::open(server_ ? server_->url() : (folder_.path() / "data/gateway.sqlite").string());
  ASSERT_TRUE(connection->execute("UPDATE sheets SET lease_until = lease_until + 86400000"));
  EXPECT_TRUE(*ledger->claim("b"));
}

TEST_P(LedgerOnBoth, FilesOutliveTheirFolderWhereTheDatabaseHoldsThem) {
  const auto ledger = open(settings());
  const auto receipt = ledger->accept(upload("%PDF one"));
  std::filesystem::remove_all(folder_.path() / "data/files");
  const auto content = ledger->content(receipt->sha256);
  EXPECT_EQ(content.has_value(), GetParam() == Dialect::Postgres);
  EXPECT_TRUE(content || content.error().kind == ErrorKind::NotFound);
}

INSTANTIATE_TEST_SUITE_P(Gateway, LedgerOnBoth, testing::Values(Dialect::Sqlite, Dialect::Postgres),
                         [](const auto& tested) {
                           return tested.param == Dialect::Sqlite ? "Sqlite" : "Postgres";
                         });

TEST(Ledger, ASecondGatewayOnOneFolderIsRefused) {
  store::TestFolder folder;
  const LedgerSettings settings{.data = folder.path() / "data"};
  const auto first = Ledger::open(settings);
  ASSERT_TRUE(first);
  EXPECT_EQ(Ledger::open(settings).error().code, "database_in_use");
  EXPECT_TRUE(Ledger::open({.data = settings.data, .read_only = true})) << "an export reads beside it";
}

TEST(FileStore, KeepsPrivateFilesAndKnowsDamage) {
  store::TestFolder folder;
  const FileStore files(folder.path() / "files");
  const std::string sha256 = "2c624232cdd221771294dfbb310aca000a0df6ac8b66b696d90ef06fdefb64a3";  // of "00"
  ASSERT_TRUE(files.put(sha256, as_bytes("00")));
  ASSERT_TRUE(files.put(sha256, as_bytes("00")));
  struct stat status{};
  ASSERT_EQ(::stat(files.path_of(sha256).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(files.get(sha256).error().code, "damaged_file") << "the name does not fit the content";
  EXPECT_EQ(files.get(std::string(64, 'a')).error().kind, ErrorKind::NotFound);
}

TEST(FileStore, AFullDiskLeavesNothingBehind) {
  store::TestFolder folder;
  const FileStore files(folder.path() / "files");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit full{4096, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  const auto refused = files.put(std::string(64, 'a'), as_bytes(std::string(10'000, 'x')));
  ::setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "disk_full") << refused.error().message;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "files/aa"));
}

TEST(Intake, NamesAreMadeHarmlessAndTheRestIsRefused) {
  EXPECT_EQ(harmless_name("../../etc/passwd"), "passwd");
  EXPECT_EQ(harmless_name("C:\\scans\\a.pdf"), "a.pdf");
  EXPECT_EQ(harmless_name(".."), "");
  EXPECT_EQ(harmless_name(std::string("a\0b\n.pdf", 8)), "ab.pdf");
  EXPECT_EQ(harmless_name("'; DROP TABLE records; --.pdf"), "'; DROP TABLE records; --.pdf");
  EXPECT_EQ(harmless_name("<img src=x>"), "<img src=x>");
  EXPECT_EQ(harmless_name("\xff.pdf"), "\xef\xbf\xbd.pdf");
  EXPECT_LE(harmless_name(std::string(5000, 'x')).size(), 200U);

  const auto pdf = as_bytes("%PDF-1.4 and so on");
  EXPECT_EQ(check_upload(pdf, "a.pdf", "", "")->exam_type, "CIA1");
  for (const auto* exam :
       {"../x", "a b", "CIA1'; --", "<i>", "\xc3\xa9", "123456789012345678901234567890123"})
    EXPECT_EQ(check_upload(pdf, "a.pdf", exam, "").error().code, "bad_exam_type") << exam;
  EXPECT_EQ(check_upload(as_bytes("hello"), "a.pdf", "", "").error().kind, ErrorKind::Unreadable);
  EXPECT_EQ(check_upload(as_bytes("hello"), "a.txt", "", "").error().kind, ErrorKind::BadInput);
  EXPECT_EQ(check_upload({}, "a.pdf", "", "").error().code, "empty_file");
  EXPECT_EQ(check_upload(pdf, "a.pdf", "", "a\nb").error().code, "bad_password");
}

}  // namespace
}  // namespace alcove::gateway
