#include "gateway/ledger.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/sha256.h"
#include "gateway/clock.h"
#include "gateway/schema.h"
#include "gateway/unneeded.h"

namespace alcove::gateway {
namespace {

using store::Connection;
using store::Row;

constexpr std::size_t kConnections = 4;

// Every column of a record, in the order record_of() takes them. A reader's whole reply may have a hundred
// kilobytes: lists leave it out.
#define ALCOVE_COLUMNS_WITH(reply)                                                                          \
  "id, uuid, sha256, original_filename, renamed_filename, size, mime_type, register_number, subject_code, " \
  "register_confidence, subject_confidence, register_regions, subject_regions, exam_type, attempt_number, " \
  "workflow_status, duplicate_of, decision, margin, roster_candidates, reasons, models, " reply             \
  ", "                                                                                                      \
  "served_by, fallback, milliseconds, attempts, error, error_code, batch, batch_index, batch_sequence, "    \
  "accepted_at, recorded_at, first_page, last_page"
#define ALCOVE_RECORD ALCOVE_COLUMNS_WITH("reply")
#define ALCOVE_RECORD_IN_A_LIST ALCOVE_COLUMNS_WITH("''")

Record record_of(const Row& row) {
  std::size_t at = 0;
  const auto text = [&] { return row.text(at++); };
  const auto number = [&] { return row.integer(at++); };
  const auto small = [&] { return static_cast<int>(row.integer(at++)); };
  const auto real = [&]() -> std::optional<double> {
    const auto column = at++;
    return row.is_null(column) ? std::nullopt : std::optional(row.real(column));
  };
  Record record;
  record.id = number();
  record.uuid = text();
  record.sha256 = text();
  record.original_filename = text();
  record.renamed_filename = text();
  record.size = number();
  record.mime_type = text();
  record.register_number = text();
  record.subject_code = text();
  record.register_confidence = real();
  record.subject_confidence = real();
  record.register_regions = small();
  record.subject_regions = small();
  record.exam_type = text();
  record.attempt_number = small();
  record.workflow_status = text();
  record.duplicate_of = text();
  record.decision = text();
  record.margin = text();
  record.roster_candidates = text();
  record.reasons = text();
  record.models = text();
  record.reply = text();
  record.served_by = text();
  record.fallback = text();
  record.milliseconds = row.real(at++);
  record.attempts = small();
  record.error = text();
  record.error_code = text();
  record.batch = text();
  record.batch_index = number();
  record.batch_sequence = number();
  record.accepted_at = number();
  record.recorded_at = number();
  record.first_page = small();
  record.last_page = small();
  return record;
}

Result<std::vector<Record>> records_of(const Result<std::vector<Row>>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<Record> records;
  for (const auto& row : *rows) records.push_back(record_of(row));
  return records;
}

std::string key_of(const Upload& upload, const std::string& sha256) {
  auto key = fmt::format("{}/{}/{}/{}", sha256, upload.exam_type, upload.batch, upload.file_name);
  if (!upload.batch.empty()) key += fmt::format("/{}", upload.batch_index);
  return key;
}

// Which attempt of its student a reading is, and what is to be said about it.
struct Place {
  int attempt = 1;
  bool holds = true;
  std::string status = "pending", duplicate_of;
};

Result<Place> place_of(Connection& connection, const Outcome& outcome, const std::string& exam_type,
                       const std::string& same_content, int allowed) {
  if (outcome.error)
    return Place{1, false, outcome.error->code == "set_aside" ? "set_aside" : "unreadable", {}};
  if (!same_content.empty()) return Place{1, false, "duplicate", same_content};
  if (outcome.register_number.empty() || outcome.subject_code.empty())
    return Place{1, false, "needs_review", {}};
  const auto earlier =
      TRY(connection.query("SELECT uuid, attempt_number FROM records WHERE register_number = $1 AND "
                           "subject_code = $2 AND exam_type = $3 "
                           "AND holds_attempt = 1 ORDER BY attempt_number",
                           outcome.register_number, outcome.subject_code, exam_type));
  Place place;
  place.attempt = static_cast<int>(earlier.size()) + 1;
  if (place.attempt <= allowed) return place;
  return Place{place.attempt, false, "duplicate", earlier.back().text(0)};
}

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(const LedgerSettings& settings) {
  std::error_code ignored;
  std::filesystem::create_directories(settings.data.parent_path(), ignored);
  if (!settings.read_only && ::mkdir(settings.data.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(ErrorKind::BadInput,
                fmt::format("the data folder {} cannot be made: {}; name another with --data",
                            settings.data.string(), std::strerror(errno)));
  const bool sqlite = settings.database.empty();
  const auto address = sqlite ? (settings.data / kLedgerFile).string() : settings.database;
  auto pool = TRY(store::Pool::open(
      address, kConnections, {.exclusive = sqlite && !settings.read_only, .read_only = settings.read_only}));
  if (!settings.read_only) {
    auto connection = pool->lend();
    TRY(store::migrate(*connection, "gateway", kSchema));
    // Nobody else has this file: whoever was reading is no more.
    if (sqlite)
      TRY(connection->execute(
          "UPDATE sheets SET state = 'waiting', owner = '', lease_until = 0 WHERE state = 'reading'"));
  }
  return std::unique_ptr<Ledger>(new Ledger(settings, std::move(pool)));
}

Ledger::Ledger(LedgerSettings settings, std::unique_ptr<store::Pool> pool)
    : settings_(std::move(settings)), files_(settings_.data / "files"), pool_(std::move(pool)) {}

Result<Receipt> Ledger::accept(const Upload& upload) {
  const auto sha256 = sha256_hex(upload.content);
  if (!shared()) TRY(files_.put(sha256, upload.content));
  auto connection = pool_->lend();
  auto receipt = connection->transaction([&] { return enter(*connection, upload, sha256); });
  // Two who hand in the same at the same moment: the second one finds what the first one entered.
  if (!receipt && receipt.error().code == store::kConstraint)
    receipt = connection->transaction([&] { return enter(*connection, upload, sha256); });
  // A stack that was taken apart is known and kept no longer.
  if (receipt && receipt->known)
    TRY(connection->transaction([&] { return drop_if_unneeded(*connection, files_, sha256); }));
  return receipt;
}

// In the transaction that enters their sheet. On the disk they are already, before the lock was taken, but
// somebody may have let go of them since (unneeded.h).
Result<void> Ledger::keep(Connection& connection, const std::string& sha256, Bytes content) {
  if (!shared()) return files_.has(sha256) ? Result<void>() : files_.put(sha256, content);
  // A row that is there is locked, not written anew.
  TRY(
      connection.execute("INSERT INTO files (sha256, content) VALUES ($1, $2) ON CONFLICT (sha256) DO UPDATE "
                         "SET sha256 = excluded.sha256",
                         sha256, content));
  return {};
}

Result<Receipt> Ledger::enter(Connection& connection, const Upload& upload, const std::string& sha256) {
  const auto key = key_of(upload, sha256);
  if (const auto known = TRY(connection.first("SELECT uuid FROM sheets WHERE handed_in = $1", key)))
    return Receipt{known->text(0), sha256, true};
  TRY(keep(connection, sha256, upload.content));
  const auto first =
      TRY(connection.first("SELECT uuid FROM sheets WHERE sha256 = $1 ORDER BY id LIMIT 1", sha256));
  auto uuid = new_uuid();
  const auto now = now_ms();
  const auto refusal = upload.refusal.value_or(Error());
  TRY(connection.execute(
      "INSERT INTO sheets (uuid, handed_in, sha256, size, mime_type, original_filename, exam_type, password, "
      "batch, "
      "batch_index, duplicate_of, priority, state, owner, lease_until, due_at, attempts, crashes, "
      "accepted_at, is_stack, refusal, refusal_code) VALUES "
      "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'waiting', '', 0, 0, 0, 0, $13, $14, $15, $16)",
      uuid, key, sha256, upload.content.size(), upload.mime_type, upload.file_name, upload.exam_type,
      upload.password, upload.batch, upload.batch_index, first ? first->text(0) : std::string(),
      upload.batch.empty() ? 0 : 1, now, upload.is_stack, refusal.message, refusal.code));
  return Receipt{std::move(uuid), sha256, false};
}

Result<std::optional<Claim>> Ledger::claim(const std::string& owner) {
  // A lease, or a delay, that ends later than any can is of a clock that was set back since.
  static constexpr std::string_view kChoice =
      "UPDATE sheets SET state = 'reading', owner = $1, lease_until = $2, crashes = crashes + 1, "
      "priority = priority + 2, attempts = attempts + 1 WHERE id = (SELECT id FROM sheets WHERE state <> "
      "'done' AND "
      "((state = 'waiting' AND (due_at <= $3 OR due_at > $4)) OR "
      "(state = 'reading' AND (lease_until < $3 OR lease_until > $4))) "
      "ORDER BY priority, id LIMIT 1{}) "
      "RETURNING id, uuid, sha256, original_filename, exam_type, password, attempts, crashes, accepted_at, "
      "is_stack, refusal, refusal_code";
  static const auto kSqlite = fmt::format(kChoice, "");
  static const auto kPostgres = fmt::format(kChoice, " FOR UPDATE SKIP LOCKED");
  const auto now = now_ms();
  auto connection = pool_->lend();
  const auto row = TRY(connection->transaction([&] {
    return connection->first(connection->dialect() == store::Dialect::Sqlite ? kSqlite : kPostgres, owner,
                             now + settings_.lease_ms, now, now + 2 * settings_.lease_ms);
  }));
  if (!row) return std::nullopt;
  const Error refusal{ErrorKind::Unreadable, row->text(10), row->text(11)};
  return Claim{.id = row->integer(0),
               .uuid = row->text(1),
               .sha256 = row->text(2),
               .file_name = row->text(3),
               .exam_type = row->text(4),
               .password = row->text(5),
               .attempts = static_cast<int>(row->integer(6)) - 1,
               .crashes = static_cast<int>(row->integer(7)) - 1,
               .age_ms = std::max<std::int64_t>(0, now - row->integer(8)),
               .is_stack = row->integer(9) != 0,
               .refusal = refusal.message.empty() ? std::nullopt : std::optional(refusal)};
}

Result<void> Ledger::keep_alive(const std::string& owner) {
  auto connection = pool_->lend();
  TRY(connection->execute("UPDATE sheets SET lease_until = $2 WHERE owner = $1 AND state = 'reading'", owner,
                          now_ms() + settings_.lease_ms));
  return {};
}

Result<std::string> Ledger::content(const std::string& sha256) {
  if (!shared()) return files_.get(sha256);
  auto connection = pool_->lend();
  const auto row = TRY(connection->first("SELECT content FROM files WHERE sha256 = $1", sha256));
  if (!row) return fail(ErrorKind::NotFound, fmt::format("the database has no file {}", sha256));
  return std::string(as_text(row->blob(0)));
}

Result<Record> Ledger::record(const Claim& claim, const std::string& owner, const Outcome& outcome) {
  auto connection = pool_->lend();
  const auto write = [&] { return write_record(*connection, claim, owner, outcome); };
  auto record = connection->transaction(write);
  // Somebody recorded the same attempt of the same student meanwhile: this is the next one.
  for (int again = 0; again < 5 && !record && record.error().code == store::kConstraint; ++again)
    record = connection->transaction(write);
  return record;
}

Result<Record> Ledger::write_record(Connection& connection, const Claim& claim, const std::string& owner,
                                    const Outcome& outcome) {
  const auto sheet = TRY(
      connection.first("UPDATE sheets SET state = 'done', owner = '', password = '' WHERE id = $1 AND owner "
                       "= $2 AND state = 'reading' "
                       "RETURNING duplicate_of, size, mime_type, batch, batch_index, accepted_at, attempts, "
                       "first_page, last_page",
                       claim.id, owner));
  if (!sheet)
    return fail(ErrorKind::NotFound, "the sheet was given to another reader, who records it", "lease_lost");
  const auto place =
      TRY(place_of(connection, outcome, claim.exam_type, sheet->text(0), settings_.attempts_allowed));
  const auto& batch = sheet->text(3);
  std::int64_t sequence = 0;
  if (!batch.empty())
    if (const auto job = TRY(connection.first(
            "UPDATE jobs SET recorded = recorded + 1 WHERE id = $1 RETURNING recorded", batch)))
      sequence = job->integer(0);
  const bool both = !outcome.register_number.empty() && !outcome.subject_code.empty();
  const auto renamed =
      both ? fmt::format("{}_{}_{}.pdf", outcome.register_number, outcome.subject_code, claim.exam_type) : "";
  const auto row = TRY(connection.first(
      "INSERT INTO records (uuid, sha256, original_filename, renamed_filename, size, mime_type, "
      "register_number, "
      "subject_code, register_confidence, subject_confidence, register_regions, subject_regions, exam_type, "
      "attempt_number, holds_attempt, workflow_status, duplicate_of, decision, margin, roster_candidates, "
      "reasons, "
      "models, reply, served_by, fallback, milliseconds, attempts, error, error_code, batch, batch_index, "
      "batch_sequence, accepted_at, recorded_at, first_page, last_page) VALUES ($1, $2, $3, $4, $5, $6, $7, "
      "$8, $9, $10, $11, $12, "
      "$13, $14, "
      "$15, $16, $17, '', '', '', $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, "
      "$33) "
      "RETURNING " ALCOVE_RECORD,
      claim.uuid, claim.sha256, claim.file_name, renamed, sheet->integer(1), sheet->text(2),
      outcome.register_number, outcome.subject_code, outcome.register_confidence, outcome.subject_confidence,
      outcome.register_regions, outcome.subject_regions, claim.exam_type, place.attempt, place.holds,
      place.status, place.duplicate_of, outcome.reasons, outcome.models, outcome.reply,
      name_of(outcome.served_by), outcome.fallback, outcome.milliseconds, sheet->integer(6),
      outcome.error ? outcome.error->message : std::string(),
      outcome.error ? outcome.error->code : std::string(), batch, sheet->integer(4), sequence,
      sheet->integer(5), now_ms(), sheet->integer(7), sheet->integer(8)));
  return record_of(*row);
}

Result<Claim> Ledger::cut_out(const Claim& stack, const std::string& owner, const Part& part) {
  const auto sha256 = sha256_hex(part.content);
  if (!shared()) TRY(files_.put(sha256, part.content));
  auto connection = pool_->lend();
  auto claim =
      TRY(connection->transaction([&] { return enter_part(*connection, stack, owner, part, sha256); }));
  // Only now that the last sheet is safe. Should it fail, the next purge does it.
  if (part.is_last)
    (void)connection->transaction([&] { return drop_if_unneeded(*connection, files_, stack.sha256); });
  return claim;
}

Result<Claim> Ledger::enter_part(Connection& connection, const Claim& stack, const std::string& owner,
                                 const Part& part, const std::string& sha256) {
  // It gets on, so it ended nobody.
  const auto whole = TRY(connection.first(
      "UPDATE sheets SET crashes = 0, state = $3, is_stack = CASE WHEN $3 = 'done' THEN 2 ELSE 1 END, "
      "password = "
      "CASE WHEN $3 = 'done' THEN '' ELSE password END "
      "WHERE id = $1 AND owner = $2 AND state = 'reading' RETURNING batch, batch_index, accepted_at",
      stack.id, owner, part.is_last ? "done" : "reading"));
  if (!whole) return fail(ErrorKind::NotFound, "the stack was given to another reader", "lease_lost");
  TRY(keep(connection, sha256, part.content));
  const auto uuid = new_uuid();
  const auto now = now_ms();
  const auto row = TRY(connection.first(
      "INSERT INTO sheets (uuid, handed_in, sha256, size, mime_type, original_filename, exam_type, password, "
      "batch, batch_index, duplicate_of, priority, state, owner, lease_until, due_at, attempts, crashes, "
      "accepted_at, stack, first_page, last_page) VALUES "
      "($1, $2, $3, $4, 'application/pdf', $5, $6, '', $7, $8, '', 3, 'reading', $9, $10, 0, 1, 1, $11, $12, "
      "$13, $14) RETURNING id",
      uuid, fmt::format("{}/{}", stack.uuid, part.first_page), sha256, part.content.size(), stack.file_name,
      stack.exam_type, whole->text(0), whole->integer(1), owner, now + settings_.lease_ms, whole->integer(2),
      stack.uuid, part.first_page, part.last_page));
  if (!part.is_last)
    TRY(connection.execute("UPDATE jobs SET files = files + 1 WHERE id = $1", whole->text(0)));
  return Claim{.id = row->integer(0),
               .uuid = uuid,
               .sha256 = sha256,
               .file_name = stack.file_name,
               .exam_type = stack.exam_type,
               .password = {},
               .age_ms = stack.age_ms};
}

Result<int> Ledger::pages_cut(const std::string& stack_uuid) {
  auto connection = pool_->lend();
  const auto row =
      TRY(connection->first("SELECT COALESCE(MAX(last_page), 0) FROM sheets WHERE stack = $1", stack_uuid));
  return static_cast<int>(row->integer(0));
}

Result<void> Ledger::postpone(const Claim& claim, const std::string& owner, std::int64_t delay_ms) {
  auto connection = pool_->lend();
  // It came back, so it did not crash anybody. No delay is longer than a claim believes (see there).
  TRY(connection->execute(
      "UPDATE sheets SET state = 'waiting', owner = '', lease_until = 0, crashes = 0, due_at = $3, "
      "priority = priority % 2 "
      "WHERE id = $1 AND owner = $2 AND state = 'reading'",
      claim.id, owner, now_ms() + std::min(delay_ms, settings_.lease_ms)));
  return {};
}

Result<void> Ledger::hurry() {
  auto connection = pool_->lend();
  TRY(connection->execute("UPDATE sheets SET due_at = 0 WHERE state = 'waiting' AND due_at > 0"));
  return {};
}

Result<void> Ledger::release(const std::string& owner) {
  auto connection = pool_->lend();
  TRY(
      connection->execute("UPDATE sheets SET state = 'waiting', owner = '', lease_until = 0, crashes = 0, "
                          "priority = priority % 2 WHERE owner = $1 AND state = 'reading'",
                          owner));
  return {};
}

Result<std::optional<Record>> Ledger::find(const std::string& uuid) {
  auto connection = pool_->lend();
  const auto row = TRY(connection->first("SELECT " ALCOVE_RECORD " FROM records WHERE uuid = $1", uuid));
  if (!row) return std::nullopt;
  return record_of(*row);
}

Result<bool> Ledger::is_waiting(const std::string& uuid) {
  auto connection = pool_->lend();
  return TRY(connection->first("SELECT id FROM sheets WHERE uuid = $1 AND state <> 'done'", uuid))
      .has_value();
}

Result<std::vector<Record>> Ledger::latest(std::int64_t limit) {
  auto connection = pool_->lend();
  return records_of(
      connection->query("SELECT " ALCOVE_RECORD_IN_A_LIST " FROM records ORDER BY id DESC LIMIT $1", limit));
}

Result<void> Ledger::each(const std::function<void(const Record&)>& use) {
  auto connection = pool_->lend();
  TRY(connection->run("SELECT " ALCOVE_RECORD_IN_A_LIST " FROM records ORDER BY id", {},
                      [&](const Row& row) { use(record_of(row)); }));
  return {};
}

Result<Counts> Ledger::counts() {
  auto connection = pool_->lend();
  const auto count = [&](std::string_view sql) -> Result<std::int64_t> {
    return TRY(connection->first(sql))->integer(0);
  };
  return Counts{TRY(count("SELECT count(*) FROM sheets WHERE state = 'waiting'")),
                TRY(count("SELECT count(*) FROM sheets WHERE state = 'reading'")),
                TRY(count("SELECT count(*) FROM records"))};
}

// What could not be opened at all has no picture to look at; it is scanned again.
Result<std::vector<Record>> Ledger::in_review(std::int64_t limit) {
  auto connection = pool_->lend();
  return records_of(connection->query("SELECT " ALCOVE_RECORD_IN_A_LIST
                                      " FROM records WHERE decision IN ('review', 'rejected') AND error_code "
                                      "= '' AND workflow_status <> 'purged' "
                                      "ORDER BY id LIMIT $1",
                                      limit));
}

Result<std::vector<ExamCounts>> Ledger::exams() {
  auto connection = pool_->lend();
  std::vector<ExamCounts> exams;
  for (const auto& row : TRY(connection->query(
           "SELECT exam_type, subject_code, attempt_number, COUNT(*), "
           "SUM(CASE WHEN decision = 'accepted' THEN 1 ELSE 0 END), "
           "SUM(CASE WHEN decision = 'review' THEN 1 ELSE 0 END), "
           "SUM(CASE WHEN decision = 'rejected' THEN 1 ELSE 0 END) "
           "FROM records WHERE workflow_status <> 'purged' GROUP BY exam_type, subject_code, attempt_number "
           "ORDER BY exam_type, subject_code, attempt_number")))
    exams.push_back({{row.text(0), row.text(1), row.integer(2)},
                     row.integer(3),
                     row.integer(4),
                     row.integer(5),
                     row.integer(6)});
  return exams;
}

Result<std::vector<Record>> Ledger::papers_of(const ExamKey& exam) {
  auto connection = pool_->lend();
  return records_of(connection->query("SELECT " ALCOVE_RECORD_IN_A_LIST
                                      " FROM records WHERE exam_type = $1 AND subject_code = $2 AND "
                                      "attempt_number = $3 AND workflow_status <> 'purged' ORDER BY id",
                                      exam.exam_type, exam.subject_code, exam.attempt));
}

Result<std::string> Ledger::holder_of(const std::string& register_number, const ExamKey& exam) {
  auto connection = pool_->lend();
  const auto row = TRY(connection->first(
      "SELECT uuid FROM records WHERE register_number = $1 AND subject_code = $2 AND exam_type = $3 AND "
      "attempt_number = $4 AND holds_attempt = 1",
      register_number, exam.subject_code, exam.exam_type, exam.attempt));
  return row ? row->text(0) : std::string();
}

Result<Job> Ledger::put_job(const std::string& id, const std::string& digest, std::int64_t files) {
  auto connection = pool_->lend();
  const auto made =
      TRY(connection->execute("INSERT INTO jobs (id, digest, files, recorded, created_at) VALUES ($1, $2, "
                              "$3, 0, $4) ON CONFLICT (id) DO NOTHING",
                              id, digest, files, now_ms()));
  const auto row = TRY(connection->first("SELECT digest, files, recorded FROM jobs WHERE id = $1", id));
  if (row->text(0) != digest)
    return fail(ErrorKind::BadInput,
                fmt::format("job {} stands for other files; choose another id, or send the same files", id),
                "other_content");
  return Job{id, digest, row->integer(1), row->integer(2), made == 1};
}

Result<std::optional<Job>> Ledger::job(const std::string& id) {
  auto connection = pool_->lend();
  const auto row = TRY(connection->first("SELECT digest, files, recorded FROM jobs WHERE id = $1", id));
  if (!row) return std::nullopt;
  return Job{id, row->text(0), row->integer(1), row->integer(2), false};
}

Result<std::vector<Record>> Ledger::job_records(const std::string& id, std::int64_t after,
                                                std::int64_t limit) {
  auto connection = pool_->lend();
  return records_of(connection->query("SELECT " ALCOVE_RECORD_IN_A_LIST
                                      " FROM records WHERE batch = $1 AND batch_sequence > $2 "
                                      "ORDER BY batch_sequence LIMIT $3",
                                      id, after, limit));
}

}  // namespace alcove::gateway
