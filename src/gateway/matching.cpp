#include "gateway/matching.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "gateway/ledger.h"

namespace alcove::gateway {
namespace {

constexpr std::string_view kOwnName = "matching";  // in the trail, where no person acted

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string text_at(const Json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>()
                                                                           : std::string();
}

std::vector<std::string> texts_at(const Json& object, const char* name) {
  std::vector<std::string> texts;
  if (!object.is_object() || !object.contains(name) || !object.at(name).is_array()) return texts;
  for (const auto& each : object.at(name))
    if (each.is_string()) texts.push_back(each.get<std::string>());
  return texts;
}

std::string with_reason(const std::string& reasons, std::string_view more) {
  auto list = parse_json(reasons).value_or(Json::array());
  if (std::ranges::find(list, Json(more)) == list.end()) list.push_back(more);
  return to_text(list);
}

std::string_view status_of(std::string_view decision, Ruling ruling) {
  if (decision != "accepted") return "needs_review";
  return ruling == Ruling::Belongs ? "pending" : name_of(ruling);
}

}  // namespace

struct Matching::Row {
  std::string decision, margin, candidates, reasons;
  // Only with a roster is it decided anew whose the sheet is; else these are as recorded.
  std::string number, subject, renamed, rival;
  bool holds = false;

  std::string text() const {
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", decision, margin, candidates, reasons, number, subject);
  }
};

Result<Matching> Matching::open(const std::filesystem::path& data, const std::string& address, bool alone) {
  auto book = TRY(ClassListBook::open(data, address));
  auto records = TRY(store::Connection::open(address.empty() ? (data / kLedgerFile).string() : address,
                                             {.exclusive = alone && address.empty()}));
  TRY(store::migrate(records, "trail", store::kTrailSchema));
  return Matching(std::move(book), std::move(records));
}

Result<void> Matching::reload() {
  const auto lists = TRY(book_.lists());
  office_ = std::make_unique<sheets::Office>(lists);
  has_roster_ = !lists.roster.empty();
  // Scores belong to a list: everything is read again.
  known_.clear();
  exams_.clear();
  changed_.clear();
  last_record_ = 0;
  return {};
}

void Matching::score(Known& known, const std::string& reply) const {
  const auto json = parse_json(reply);
  if (!json) {
    known.fault = "unreadable";
    return;
  }
  known.raw_number = text_at(*json, "register_number");
  known.raw_subject = text_at(*json, "subject_code");
  known.reading_reasons = texts_at(*json, "reasons");
  auto scores = office_->score(*json);
  if (scores) {
    known.paper.scores = *std::move(scores);
  } else {
    known.fault = "unsound_posteriors";
  }
}

Result<bool> Matching::take_new() {
  const auto rows =
      TRY(records_.query("SELECT id, uuid, sha256, exam_type, attempt_number, workflow_status, reply, "
                         "models, renamed_filename, "
                         "decision, margin, roster_candidates, reasons, register_number, subject_code FROM "
                         "records WHERE id > $1 "
                         "ORDER BY id LIMIT $2",
                         last_record_, kAtOnce));
  for (const auto& row : rows) {
    last_record_ = row.integer(0);
    const auto& status = row.text(5);
    if (status == "purged") continue;
    Known known{
        .sha256 = row.text(2), .models = row.text(7), .exam_type = row.text(3), .renamed = row.text(8)};
    known.paper.id = row.text(1);
    // A further attempt that is not allowed competes with the first one for the name.
    known.attempt = status == "duplicate" ? 1 : row.integer(4);
    if (status == "unreadable" || status == "set_aside") known.fault = status;
    if (known.fault.empty()) score(known, row.text(6));
    known.paper.exam = fmt::format("{}\n{}", known.exam_type, known.attempt);
    known.written =
        Row{row.text(9), row.text(10), row.text(11), row.text(12), row.text(13), row.text(14), {}, {}}.text();
    if (has_roster_ && known.fault.empty() &&
        std::ranges::any_of(exams_[known.paper.exam], [&](const std::string& uuid) {
          return known_.at(uuid).sha256 == known.sha256 && known_.at(uuid).fault.empty();
        }))
      known.fault = "duplicate";
    if (!has_roster_ && status == "duplicate") known.fault = status;
    exams_[known.paper.exam].push_back(known.paper.id);
    changed_.insert(known.paper.exam);
    known_.insert_or_assign(known.paper.id, std::move(known));
  }
  return rows.size() == static_cast<std::size_t>(kAtOnce);
}

Matching::Row Matching::row_of(const Known& known, const sheets::Judgement& judged) const {
  Row row{.decision = std::string(name_of(judged.decision)),
          .margin = has_roster_ ? fmt::format("{:.2f}", judged.margin) : std::string(),
          .candidates = {},
          .reasons = {},
          .number = known.raw_number,
          .subject = known.raw_subject,
          .renamed = {},
          .rival = judged.rival};
  auto reasons = known.reading_reasons;
  if (known.is_answered() && known.given.ruling != Ruling::Belongs)
    reasons.push_back(fmt::format("marked_{}", name_of(known.given.ruling)));
  for (const auto& reason : judged.reasons)
    if (std::ranges::find(reasons, reason) == reasons.end()) reasons.push_back(reason);
  row.reasons = to_text(Json(reasons));
  auto candidates = Json::array();
  for (const auto& each : judged.candidates)
    candidates.push_back({{"register_number", each.register_number},
                          {"name", each.name},
                          {"log_probability", std::round(each.log_probability * 100) / 100}});
  row.candidates = to_text(candidates);
  if (judged.decision == sheets::Decision::Accepted) {
    row.number = judged.register_number;
    row.subject = judged.subject_code;
    row.holds = !row.number.empty() && !row.subject.empty();
  }
  if (!row.number.empty() && !row.subject.empty())
    row.renamed = fmt::format("{}_{}_{}.pdf", row.number, row.subject, known.exam_type);
  return row;
}

bool Matching::names_whom(const Known& known) const {
  return (has_roster_ && known.fault.empty()) || known.given.number > 0;
}

Result<void> Matching::write(Known& known, const Row& row) {
  const auto& uuid = known.paper.id;
  TRY(
      records_.execute("UPDATE records SET decision = $2, margin = $3, roster_candidates = $4, reasons = $5 "
                       "WHERE uuid = $1 AND workflow_status <> 'purged'",
                       uuid, row.decision, row.margin, row.candidates, row.reasons));
  if (names_whom(known))
    TRY(records_.execute(
        "UPDATE records SET register_number = $2, subject_code = $3, renamed_filename = $4, "
        "attempt_number = $5, holds_attempt = $6, workflow_status = $7, duplicate_of = $8 WHERE "
        "uuid = $1",
        uuid, row.number, row.subject, row.renamed, known.attempt, row.holds ? 1 : 0,
        status_of(row.decision, known.is_answered() ? known.given.ruling : Ruling::Belongs),
        row.holds ? "" : row.rival));
  const Json detail{{"decision", row.decision},
                    {"margin", row.margin},
                    {"reasons", row.reasons},
                    {"read", {{"register_number", known.raw_number}, {"subject_code", known.raw_subject}}},
                    {"register_number", row.number},
                    {"subject_code", row.subject},
                    {"renamed", row.renamed},
                    {"sha256", known.sha256},
                    {"models", known.models},
                    {"lists", state_.lists}};
  const auto* answered = known.given.ruling == Ruling::Withdrawn ? "withdrawn" : "confirmed";
  TRY(store::append(records_,
                    {.who = known.is_news ? known.given.who : std::string(kOwnName),
                     .what = known.is_news ? answered : "judged",
                     .about = uuid,
                     .detail = to_text(detail)},
                    now()));
  return {};
}

// A name is one paper's. When two people gave it to two papers, the earlier answer stands.
void Matching::let_one_hold(Rows& rows) {
  std::vector<std::pair<Known*, Row>*> order;
  for (auto& each : rows)
    if (each.second.holds) order.push_back(&each);
  std::ranges::stable_sort(order, {}, [](const auto* each) {
    return each->first->is_answered() ? each->first->given.number : std::numeric_limits<std::int64_t>::max();
  });
  std::map<std::string, std::string> holders;
  for (auto* each : order) {
    auto& [known, row] = *each;
    const auto [holder, is_first] = holders.try_emplace(row.number + '\n' + row.subject, known->paper.id);
    if (is_first) continue;
    row.decision = name_of(sheets::Decision::Review);
    row.holds = false;
    row.rival = holder->second;
    row.reasons = with_reason(row.reasons, "already_taken");
  }
}

Result<std::size_t> Matching::judge_exam(const std::string& exam) {
  std::vector<sheets::Paper> papers;
  std::vector<Known*> members;
  Rows rows;
  for (const auto& uuid : exams_[exam]) {
    auto& known = known_.at(uuid);
    if (known.takes_part()) {
      papers.push_back(known.paper);
      members.push_back(&known);
      continue;
    }
    const bool is_copy = known.fault == "duplicate";
    const auto decision = known.is_answered() ? sheets::Decision::Accepted
                          : is_copy           ? sheets::Decision::Review
                                              : sheets::Decision::Rejected;
    rows.emplace_back(&known, row_of(known, {.decision = decision, .reasons = {known.fault}}));
  }
  const auto judged = office_->judge(papers);
  for (std::size_t i = 0; i < members.size(); ++i)
    rows.emplace_back(members[i], row_of(*members[i], judged[i]));
  let_one_hold(rows);
  std::erase_if(rows, [](const auto& each) { return each.second.text() == each.first->written; });
  if (rows.empty()) return 0;

  const auto done = records_.transaction([&]() -> Result<void> {
    // Names change hands: first everybody lets go.
    for (const auto& [known, row] : rows)
      if (names_whom(*known))
        TRY(records_.execute("UPDATE records SET holds_attempt = 0 WHERE uuid = $1", known->paper.id));
    for (const auto& [known, row] : rows) TRY(write(*known, row));
    return {};
  });
  if (!done) return std::unexpected(done.error());
  for (const auto& [known, row] : rows) {
    known->written = row.text();
    known->is_news = false;
  }
  return rows.size();
}

Result<void> Matching::take_answers() {
  for (const auto& given : TRY(book_.answers())) {
    const auto found = known_.find(given.uuid);
    if (found == known_.end() || found->second.given.number == given.number) continue;
    auto& known = found->second;
    known.given = given;
    known.is_news = true;
    known.paper.confirmed = known.is_answered() ? std::optional(given.answer) : std::nullopt;
    changed_.insert(known.paper.exam);
  }
  return {};
}

Result<Matching::Progress> Matching::update() {
  const auto state = TRY(book_.state());
  if (state.lists != state_.lists) TRY(reload());
  const auto before = last_record_;
  const bool more = TRY(take_new());
  // Answers may be there before this process has seen their sheets.
  if (state.answers != state_.answers || last_record_ != before) TRY(take_answers());
  state_ = state;
  Progress progress{.more = more};
  while (!more && !changed_.empty()) {
    progress.written += TRY(judge_exam(*changed_.begin()));
    changed_.erase(changed_.begin());
  }
  return progress;
}

Result<std::size_t> Matching::update_all() {
  std::size_t written = 0;
  for (;;) {
    const auto progress = TRY(update());
    written += progress.written;
    if (!progress.more) return written;
  }
}

Result<store::TrailCheck> verify_trail(const std::filesystem::path& data, const std::string& address,
                                       const std::optional<store::TrailHead>& known) {
  auto records = TRY(store::Connection::open(address.empty() ? (data / kLedgerFile).string() : address,
                                             {.read_only = true}));
  return store::verify_trail(records, known);
}

}  // namespace alcove::gateway
