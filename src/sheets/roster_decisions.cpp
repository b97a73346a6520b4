#include "sheets/roster_decisions.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "sheets/roster_wire.h"

namespace alcove::sheets {
namespace {

std::vector<std::string> numbers_of(const std::vector<RosterEntry>& roster) {
  std::set<std::string> numbers;
  for (const auto& entry : roster) numbers.insert(entry.register_number);
  return {numbers.begin(), numbers.end()};
}

std::vector<std::string> codes_of(const ClassLists& lists) {
  std::set<std::string> codes;
  for (const auto& subject : lists.subjects) codes.insert(subject.code);
  if (codes.empty())
    for (const auto& entry : lists.roster) codes.insert(entry.subject_code);
  codes.erase("");
  return {codes.begin(), codes.end()};
}

void add_new(std::vector<std::string>& reasons, const std::vector<std::string>& more) {
  for (const auto& reason : more)
    if (std::ranges::find(reasons, reason) == reasons.end()) reasons.push_back(reason);
}

// A field that has nothing to be matched.
void note_absence(std::vector<std::string>& reasons, const ListScores& field, std::string_view no_box,
                  std::string_view blank) {
  if (!field.has_box) {
    add_new(reasons, {std::string(no_box)});
  } else if (field.raw.empty()) {
    add_new(reasons, {std::string(blank)});
  }
}

}  // namespace

std::string_view name_of(Decision decision) {
  switch (decision) {
    case Decision::Accepted: return "accepted";
    case Decision::Review: return "review";
    case Decision::Rejected: break;
  }
  return "rejected";
}

Office::Office(const ClassLists& lists)
    : rules_(lists.rules),
      codes_(codes_of(lists)),
      number_tree_(numbers_of(lists.roster)),
      code_tree_(codes_) {
  for (auto& number : numbers_of(lists.roster)) {
    by_number_.emplace(number, people_.size());
    people_.push_back({std::move(number), {}, {}});
  }
  std::set<std::size_t> everywhere;
  for (const auto& entry : lists.roster) {
    const auto index = by_number_.at(entry.register_number);
    auto& person = people_[index];
    if (person.name.empty()) person.name = entry.name;
    if (entry.subject_code.empty()) everywhere.insert(index);
    person.subjects.push_back(entry.subject_code);
  }
  for (const auto index : everywhere) people_[index].subjects.clear();
}

Result<PaperScores> Office::score(const Json& answer) const {
  const auto evidence = TRY(evidence_of_answer(answer));
  return PaperScores{.number = score_list(number_tree_, evidence.register_number),
                     .subject = score_list(code_tree_, evidence.subject_code),
                     .number_doubts = doubts_about(value_of_answer(answer, "register_number"), rules_),
                     .subject_doubts = doubts_about(value_of_answer(answer, "subject_code"), {})};
}

// The subject alone decides which papers stand together.
Judgement Office::subject_of(const Paper& paper) const {
  Judgement judged;
  if (paper.confirmed) {
    judged.subject_code = paper.confirmed->subject_code;
    return judged;
  }
  const auto& subject = paper.scores.subject;
  note_absence(judged.reasons, subject, "no_subject_box", "blank_subject");
  if (codes_.empty()) {
    judged.subject_code = subject.raw;
    if (!subject.raw.empty() && !paper.scores.subject_doubts.empty()) add_new(judged.reasons, {"low_symbol"});
    return judged;
  }
  const auto placed = place_alone(subject);
  if (placed.entry) judged.subject_code = codes_[*placed.entry];
  if (judged.reasons.empty()) add_new(judged.reasons, placed.reasons);
  return judged;
}

void Office::judge_by_rules(const Paper& paper, Judgement& judged) const {
  judged.register_number = paper.scores.number.raw;
  if (paper.scores.number.has_box) {
    add_new(judged.reasons, paper.scores.number_doubts);
  } else {
    add_new(judged.reasons, {"no_register_box"});
  }
}

void Office::place_group(std::span<const Paper> papers, const Members& members,
                         std::span<Judgement> judged) const {
  const auto& subject = judged[members.front()].subject_code;
  const auto sits = [&](std::size_t person) {
    const auto& subjects = people_[person].subjects;
    return subject.empty() || subjects.empty() || std::ranges::find(subjects, subject) != subjects.end();
  };
  std::vector<ListScores> scores;
  std::vector<Confirmed> confirmed;
  for (const auto index : members) {
    scores.push_back(papers[index].scores.number);
    std::erase_if(scores.back().best, [&](const EntryScore& each) { return !sits(each.entry); });
    const auto& answer = papers[index].confirmed;
    if (!answer) continue;
    const auto known = by_number_.find(answer->register_number);
    confirmed.push_back(
        {scores.size() - 1, known == by_number_.end() ? std::nullopt : std::optional(known->second)});
  }
  const auto placements = place_papers(scores, people_.size(), confirmed);
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto& own = judged[members[i]];
    const auto& placed = placements[i];
    own.margin = placed.margin;
    if (placed.entry) {
      own.register_number = people_[*placed.entry].number;
      own.name = people_[*placed.entry].name;
    }
    if (placed.rival) own.rival = papers[members[*placed.rival]].id;
    if (!papers[members[i]].confirmed) {
      note_absence(own.reasons, scores[i], "no_register_box", "blank_register");
      add_new(own.reasons, placed.reasons);
    }
    for (const auto& each : scores[i].best) {
      if (own.candidates.size() == kBestShown) break;
      own.candidates.push_back({people_[each.entry].number, people_[each.entry].name, each.log_probability});
    }
  }
}

std::vector<Judgement> Office::judge(std::span<const Paper> papers) const {
  std::vector<Judgement> judged;
  std::map<std::pair<std::string, std::string>, Members> groups;  // exam and subject
  for (std::size_t i = 0; i < papers.size(); ++i) {
    judged.push_back(subject_of(papers[i]));
    groups[{papers[i].exam, judged.back().subject_code}].push_back(i);
  }
  for (const auto& [exam, members] : groups) {
    if (people_.empty()) {
      for (const auto index : members)
        if (!papers[index].confirmed) judge_by_rules(papers[index], judged[index]);
    } else {
      place_group(papers, members, judged);
    }
  }
  for (std::size_t i = 0; i < papers.size(); ++i) {
    const auto& [number, subject, number_doubts, subject_doubts] = papers[i].scores;
    auto& own = judged[i];
    if (papers[i].confirmed) {
      own.register_number = papers[i].confirmed->register_number;
      own.decision = Decision::Accepted;
    } else if (number.raw.empty() && subject.raw.empty()) {
      own.decision = Decision::Rejected;
    } else {
      own.decision = own.reasons.empty() ? Decision::Accepted : Decision::Review;
    }
  }
  return judged;
}

}  // namespace alcove::sheets
