#include "gateway/office.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"

namespace alcove::gateway {
namespace {

using Clock = std::chrono::steady_clock;

std::string first_reason(const Record& record) {
  const auto reasons = parse_json(record.reasons);
  return reasons && reasons->is_array() && !reasons->empty() && reasons->back().is_string()
             ? reasons->back().get<std::string>()
             : std::string();
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lowered;
}

// The likeliest of a record's candidates who is missing.
std::optional<Person> missing_candidate(const Record& record, const std::set<std::string>& missing) {
  const auto candidates = parse_json(record.roster_candidates);
  if (!candidates || !candidates->is_array()) return std::nullopt;
  for (const auto& each : *candidates) {
    const auto& number = member(each, "register_number");
    const auto& name = member(each, "name");
    if (number.is_string() && missing.contains(number.get<std::string>()))
      return Person{number.get<std::string>(), name.is_string() ? name.get<std::string>() : std::string()};
  }
  return std::nullopt;
}

void add_people(ExamOverview& overview, const sheets::ClassLists& lists) {
  std::set<std::string> present;
  for (const auto& paper : overview.papers)
    if (paper.decision == "accepted") present.insert(paper.register_number);
  std::set<std::string> missing;
  for (const auto& entry : lists.roster) {
    if (!entry.subject_code.empty() && entry.subject_code != overview.exam.subject_code) continue;
    overview.names.try_emplace(entry.register_number, entry.name);
    if (present.contains(entry.register_number) || !missing.insert(entry.register_number).second) continue;
    if (overview.absent.size() < kMostAbsent) overview.absent.push_back({entry.register_number, entry.name});
  }
  overview.absent_in_all = missing.size();
  for (const auto& paper : overview.papers)
    if (paper.decision == "review")
      if (auto person = missing_candidate(paper, missing))
        overview.pairs.push_back({*std::move(person), paper.uuid});
}

}  // namespace

Result<std::unique_ptr<OfficeDesk>> OfficeDesk::open(const std::filesystem::path& data,
                                                     const std::string& address, Ledger& ledger) {
  return std::unique_ptr<OfficeDesk>(new OfficeDesk(TRY(ClassListBook::open(data, address)), ledger));
}

Result<std::vector<Record>> OfficeDesk::queue(std::int64_t limit) {
  auto records = TRY(ledger_.in_review(limit));
  std::ranges::stable_sort(records, {}, [](const Record& record) {
    return std::tuple(record.decision == "rejected", record.exam_type, record.subject_code,
                      first_reason(record), record.register_number);
  });
  return records;
}

Result<std::optional<GivenAnswer>> OfficeDesk::answer_about(const std::string& uuid) {
  const std::lock_guard lock(mutex_);
  return book_.answer_about(uuid);
}

Result<std::int64_t> OfficeDesk::answer(GivenAnswer given, std::optional<std::int64_t> seen) {
  const auto record = TRY(ledger_.find(given.uuid));
  if (!record || record->workflow_status == "purged")
    return fail(ErrorKind::NotFound, "there is no such record", "no_such_record");
  auto& answer = given.answer;
  const auto typed = std::exchange(answer.register_number, {});
  if (given.ruling == Ruling::Belongs) {
    answer.register_number = sheets::compared_form(typed);
    if (answer.register_number.empty())
      return fail(ErrorKind::BadInput,
                  fmt::format("\"{}\" is no register number: it has digits and letters alone", typed),
                  "no_number");
  }
  const auto subject = answer.subject_code.empty() ? record->subject_code : answer.subject_code;
  answer.subject_code = sheets::compared_form(subject);
  if (answer.subject_code.empty() && !subject.empty())
    return fail(ErrorKind::BadInput, fmt::format("\"{}\" is no subject code", subject), "no_subject");
  const std::lock_guard lock(mutex_);
  return book_.answer(given, seen);
}

std::optional<Hold> OfficeDesk::hold(const std::string& uuid, const std::string& reviewer,
                                     const std::string& who) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  std::erase_if(holds_, [&](const auto& each) {
    return each.second.until < now || each.second.reviewer == reviewer;  // a window shows one sheet
  });
  const auto [held, is_ours] = holds_.try_emplace(uuid, Hold{reviewer, who, now + kHold});
  return is_ours ? std::nullopt : std::optional(held->second);
}

std::optional<Hold> OfficeDesk::holder(const std::string& uuid, const std::string& reviewer) {
  const std::lock_guard lock(mutex_);
  const auto found = holds_.find(uuid);
  if (found == holds_.end() || found->second.reviewer == reviewer || found->second.until < Clock::now())
    return std::nullopt;
  return found->second;
}

Result<std::shared_ptr<const sheets::ClassLists>> OfficeDesk::lists() {
  const auto state = TRY(book_.state());
  if (!lists_ || state.lists != state_.lists) {
    lists_ = std::make_shared<const sheets::ClassLists>(TRY(book_.lists()));
    state_ = state;
  }
  return lists_;
}

Result<ExamOverview> OfficeDesk::exam(const ExamKey& key) {
  ExamOverview overview{
      .exam = key, .papers = TRY(ledger_.papers_of(key)), .names = {}, .absent = {}, .pairs = {}};
  std::shared_ptr<const sheets::ClassLists> known;
  {
    const std::lock_guard lock(mutex_);
    known = TRY(lists());
  }
  add_people(overview, *known);
  return overview;
}

Result<std::vector<Person>> OfficeDesk::people(std::string_view text, std::size_t limit) {
  std::shared_ptr<const sheets::ClassLists> known;
  {
    const std::lock_guard lock(mutex_);
    known = TRY(lists());
  }
  const auto wanted = lower(text);
  std::vector<Person> found;
  std::set<std::string_view> seen;
  for (const auto& entry : known->roster) {
    if (found.size() == limit) break;
    const bool fits = lower(entry.register_number).contains(wanted) || lower(entry.name).contains(wanted);
    if (fits && seen.insert(entry.register_number).second)
      found.push_back({entry.register_number, entry.name});
  }
  return found;
}

Result<std::map<std::string, sheets::RosterEntry>> OfficeDesk::participants() {
  const std::lock_guard lock(mutex_);
  const auto known = TRY(lists());
  std::map<std::string, sheets::RosterEntry> people;
  for (const auto& entry : known->roster)
    if (!entry.participant.empty()) people.try_emplace(entry.register_number, entry);
  return people;
}

Result<ListVersion> OfficeDesk::keep(const sheets::Roster& roster, std::string_view file_name,
                                     const std::string& sha256) {
  const std::lock_guard lock(mutex_);
  return book_.keep(roster, file_name, sha256);
}

}  // namespace alcove::gateway
