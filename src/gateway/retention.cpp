#include "gateway/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "gateway/ledger.h"
#include "gateway/unneeded.h"
#include "store/trail.h"

namespace alcove::gateway {
namespace {

constexpr std::int64_t kDay = 86'400'000;

constexpr std::array kRetentionSchema{store::Migration{"retention", R"(
CREATE TABLE retention (
  exam_type TEXT PRIMARY KEY,          -- empty: every other one
  days BIGINT NOT NULL);
CREATE TABLE legal_holds (
  id {id},
  exam_type TEXT NOT NULL,
  register_number TEXT NOT NULL,
  reason TEXT NOT NULL);
)"}};

bool fits(const LegalHold& hold, const Due& sheet) {
  return (hold.exam_type.empty() || hold.exam_type == sheet.exam_type) &&
         (hold.register_number.empty() || hold.register_number == sheet.register_number);
}

}  // namespace

Result<Retention> Retention::open(const std::filesystem::path& data, const std::string& address) {
  const auto where = [&](std::string_view file) {
    return address.empty() ? (data / file).string() : address;
  };
  if (std::error_code none; address.empty() && !std::filesystem::exists(data / kLedgerFile, none))
    return fail(ErrorKind::NotFound,
                fmt::format("there are no records in {}; name the folder with --data", data.string()));
  auto lists = TRY(ClassListBook::open(data, address));  // makes its tables
  auto records = TRY(store::Connection::open(where(kLedgerFile)));
  TRY(store::migrate(records, "trail", store::kTrailSchema));
  TRY(store::migrate(records, "retention", kRetentionSchema));
  return Retention(data, std::move(records), TRY(store::Connection::open(where(kListsFile))));
}

Result<void> Retention::keep_for(const KeptFor& kept) {
  if (kept.days < 1) return fail(ErrorKind::BadInput, "sheets are kept for a day at least");
  TRY(records_.execute(
      "INSERT INTO retention (exam_type, days) VALUES ($1, $2) ON CONFLICT (exam_type) DO UPDATE "
      "SET days = excluded.days",
      kept.exam_type, kept.days));
  return {};
}

Result<std::vector<KeptFor>> Retention::periods() {
  std::vector<KeptFor> periods{KeptFor()};
  for (const auto& row : TRY(records_.query("SELECT exam_type, days FROM retention ORDER BY exam_type"))) {
    if (row.text(0).empty()) {
      periods.front().days = row.integer(1);
    } else {
      periods.push_back({row.text(0), row.integer(1)});
    }
  }
  return periods;
}

Result<std::int64_t> Retention::hold(const LegalHold& hold) {
  const auto row = TRY(records_.first(
      "INSERT INTO legal_holds (exam_type, register_number, reason) VALUES ($1, $2, $3) RETURNING id",
      hold.exam_type, hold.register_number, hold.reason));
  return row->integer(0);
}

Result<bool> Retention::release(std::int64_t number) {
  return TRY(records_.execute("DELETE FROM legal_holds WHERE id = $1", number)) > 0;
}

Result<std::vector<LegalHold>> Retention::holds() {
  std::vector<LegalHold> holds;
  for (const auto& row :
       TRY(records_.query("SELECT id, exam_type, register_number, reason FROM legal_holds ORDER BY id")))
    holds.push_back({row.integer(0), row.text(1), row.text(2), row.text(3)});
  return holds;
}

Result<std::vector<Due>> Retention::due(std::int64_t now_ms) {
  std::map<std::string, std::int64_t> days;
  for (const auto& each : TRY(periods())) days[each.exam_type] = each.days;
  const auto held = TRY(holds());
  std::vector<Due> due;
  for (const auto& row : TRY(records_.query("SELECT uuid, sha256, exam_type, original_filename, "
                                            "register_number, accepted_at FROM records WHERE "
                                            "workflow_status <> 'purged' ORDER BY id"))) {
    Due sheet{row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.integer(5)};
    const auto own = days.find(sheet.exam_type);
    if (sheet.accepted_at + kDay * (own == days.end() ? days.at("") : own->second) > now_ms) continue;
    sheet.held = std::ranges::any_of(held, [&](const LegalHold& each) { return fits(each, sheet); });
    due.push_back(std::move(sheet));
  }
  return due;
}

// False: somebody else purged it meanwhile.
Result<bool> Retention::let_go(const Due& sheet, const std::string& who, std::int64_t now_ms) {
  // The answers first: should the rest fail, the sheet is still due.
  TRY(lists_.execute("DELETE FROM answers WHERE uuid = $1", sheet.uuid));
  const auto written = TRY(records_.execute(
      "UPDATE records SET original_filename = '', renamed_filename = '', register_number = '', "
      "register_confidence "
      "= NULL, subject_confidence = NULL, holds_attempt = 0, workflow_status = 'purged', decision = '', "
      "margin = '', "
      "roster_candidates = '', reasons = '[]', reply = '', error = '', duplicate_of = '' WHERE uuid = $1 AND "
      "workflow_status <> 'purged'",
      sheet.uuid));
  if (written == 0) return false;
  TRY(records_.execute(
      "UPDATE sheets SET original_filename = '', handed_in = 'purged/' || uuid WHERE uuid = $1", sheet.uuid));
  // A stack goes with the last of its sheets.
  TRY(records_.execute(
      "UPDATE sheets SET original_filename = '', handed_in = 'purged/' || uuid WHERE is_stack = 2 AND uuid = "
      "(SELECT stack FROM sheets WHERE uuid = $1) AND NOT EXISTS (SELECT 1 FROM sheets part WHERE part.stack "
      "= "
      "sheets.uuid AND NOT EXISTS (SELECT 1 FROM records WHERE records.uuid = part.uuid AND workflow_status "
      "= "
      "'purged'))",
      sheet.uuid));
  const Json detail{
      {"sha256", sheet.sha256}, {"exam_type", sheet.exam_type}, {"accepted_at", sheet.accepted_at}};
  TRY(store::append(records_, {.who = who, .what = "purged", .about = sheet.uuid, .detail = to_text(detail)},
                    now_ms));
  return true;
}

Result<std::size_t> Retention::purge(std::int64_t now_ms, const std::string& who) {
  std::size_t gone = 0;
  for (const auto& sheet : TRY(due(now_ms))) {
    if (sheet.held) continue;
    const auto done = records_.transaction([&]() -> Result<bool> {
      if (!TRY(let_go(sheet, who, now_ms))) return false;
      TRY(drop_if_unneeded(records_, files_, sheet.sha256));
      return true;
    });
    if (!done) return std::unexpected(done.error());
    gone += *done ? 1 : 0;
  }
  TRY(drop_unneeded(records_, files_));
  const auto before = now_ms - kDay * TRY(periods()).front().days;
  TRY(
      lists_.execute("DELETE FROM roster_entries WHERE version IN (SELECT id FROM list_versions WHERE "
                     "imported_at < $1) AND version "
                     "NOT IN (SELECT MAX(id) FROM list_versions WHERE kind = 'roster')",
                     before));
  // What was written over is in the log of the database until that is taken over.
  for (auto* database : {&records_, &lists_})
    if (database->dialect() == store::Dialect::Sqlite)
      TRY(database->script("PRAGMA wal_checkpoint(TRUNCATE)"));
  return gone;
}

}  // namespace alcove::gateway
