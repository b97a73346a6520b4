#pragma once
// The gateway's book: what was handed in, who is reading it, and one record for each sheet. Every step is one
// transaction, so that whatever ends the program, a sheet is either still waiting or recorded.

#include <functional>
#include <memory>
#include <span>

#include "gateway/file_store.h"
#include "gateway/sheet.h"
#include "store/pool.h"

namespace alcove::gateway {

inline constexpr std::string_view kLedgerFile = "gateway.sqlite";  // in the data folder

struct LedgerSettings {
  std::filesystem::path data = "data";  // made if it is not there
  std::string database;                 // postgres://…; empty: SQLite in `data`, for one process
  int attempts_allowed = 1;             // of one student at one exam, 1 or 2; the next one is flagged
  std::int64_t lease_ms = 60'000;       // without a sign of life for that long, a reader is taken for dead
  int crashes_allowed = 10;             // readings that ended without a word; then a sheet is set aside
  bool read_only = false;               // beside a gateway that runs
};

struct Counts {
  std::int64_t waiting = 0, reading = 0, records = 0;
};

struct ExamKey {
  std::string exam_type, subject_code;  // no subject: it was not read
  std::int64_t attempt = 1;
};

struct ExamCounts {
  ExamKey exam;
  std::int64_t papers = 0, accepted = 0, review = 0, rejected = 0;
};

struct Job {
  std::string id, digest;
  // Sheets known so far, and one more for each stack that is still being cut.
  std::int64_t files = 0;
  std::int64_t recorded = 0;
  bool is_new = false;
};

// Safe from any thread.
class Ledger {
 public:
  // Unsupported for a newer schema, Unavailable ("database_in_use") when another gateway has the SQLite file.
  static Result<std::unique_ptr<Ledger>> open(const LedgerSettings& settings);

  // Durable when it returns: the bytes first (on this disk, or in the shared database), then the place in the
  // queue.
  Result<Receipt> accept(const Upload& upload);

  // The next sheet, for `owner` alone until its lease ends; none when nothing waits. Single sheets go before
  // jobs, and those whose reading ended the program come last.
  Result<std::optional<Claim>> claim(const std::string& owner);
  Result<void> keep_alive(const std::string& owner);  // renews the leases of all that `owner` holds
  Result<std::string> content(const std::string& sha256);
  // NotFound ("lease_lost") when somebody else has it by now, or has recorded it.
  Result<Record> record(const Claim& claim, const std::string& owner, const Outcome& outcome);
  // Enters a sheet of a stack that `owner` holds, as claimed by `owner` too, and counts it for the stack's
  // job; with the last one the stack's own bytes go. NotFound ("lease_lost") as above.
  Result<Claim> cut_out(const Claim& stack, const std::string& owner, const Part& part);
  // The last page of a stack that is in a sheet by now; 0: none.
  Result<int> pages_cut(const std::string& stack_uuid);
  Result<void> postpone(const Claim& claim, const std::string& owner, std::int64_t delay_ms);
  Result<void> hurry();                            // what was postponed is due now
  Result<void> release(const std::string& owner);  // all that it holds, to be claimed again at once

  Result<std::optional<Record>> find(const std::string& uuid);
  Result<bool> is_waiting(const std::string& uuid);
  Result<std::vector<Record>> latest(std::int64_t limit);
  Result<void> each(const std::function<void(const Record&)>& use);  // oldest first
  Result<Counts> counts();

  // For people: sheets that somebody has to look at, oldest first; exams with how their papers stand; the
  // papers of one, as they came; who holds a number at one (empty: nobody).
  Result<std::vector<Record>> in_review(std::int64_t limit);
  Result<std::vector<ExamCounts>> exams();
  Result<std::vector<Record>> papers_of(const ExamKey& exam);
  Result<std::string> holder_of(const std::string& register_number, const ExamKey& exam);

  // A job of this id, made if there is none. BadInput ("other_content") when it stands for other files.
  Result<Job> put_job(const std::string& id, const std::string& digest, std::int64_t files);
  Result<std::optional<Job>> job(const std::string& id);
  Result<std::vector<Record>> job_records(const std::string& id, std::int64_t after, std::int64_t limit);

  const LedgerSettings& settings() const { return settings_; }
  bool shared() const { return !settings_.database.empty(); }

 private:
  Ledger(LedgerSettings settings, std::unique_ptr<store::Pool> pool);
  Result<void> keep(store::Connection& connection, const std::string& sha256, Bytes content);
  Result<Receipt> enter(store::Connection& connection, const Upload& upload, const std::string& sha256);
  Result<Claim> enter_part(store::Connection& connection, const Claim& stack, const std::string& owner,
                           const Part& part, const std::string& sha256);
  Result<Record> write_record(store::Connection& connection, const Claim& claim, const std::string& owner,
                              const Outcome& outcome);

  const LedgerSettings settings_;
  const FileStore files_;
  const std::unique_ptr<store::Pool> pool_;
};

}  // namespace alcove::gateway
