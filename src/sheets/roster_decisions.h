#pragma once
// The papers of an office's exams: from what the readers answered to what is decided about each.

#include <map>

#include "base/json.h"
#include "sheets/number_rules.h"
#include "sheets/roster.h"
#include "sheets/roster_match.h"

namespace alcove::sheets {

// What the office knows. Either list may be empty.
struct ClassLists {
  std::vector<RosterEntry> roster;
  std::vector<Subject> subjects;  // empty: those that the roster names
  NumberRules rules;              // for numbers when there is no roster
};

enum class Decision {
  Accepted,
  Review,    // a person has to say whose it is
  Rejected,  // nothing was read of either field: the sheet has to be scanned again
};
std::string_view name_of(Decision decision);  // "accepted", "review", "rejected"

// One paper against the lists: the costly part, done once for each paper and list.
struct PaperScores {
  ListScores number, subject;
  std::vector<std::string> number_doubts, subject_doubts;  // by the rules, for fields without a list
};

struct Answer {                 // a person's
  std::string register_number;  // empty: on no list
  std::string subject_code;

  bool operator==(const Answer&) const = default;
};

struct Paper {
  std::string id;
  std::string exam;  // type and attempt; papers of one exam and one subject compete for names
  PaperScores scores;
  std::optional<Answer> confirmed;
};

struct NameCandidate {
  std::string register_number, name;
  double log_probability = 0;
};

struct Judgement {
  Decision decision = Decision::Review;
  std::vector<std::string> reasons;           // docs/roster.md has the list; empty when accepted
  std::string register_number, subject_code;  // the list's, or as read without a list; empty: nobody's
  std::string name;
  double margin = 0;  // of the number, natural logarithm, at most kSureMargin; without a roster 0
  std::string rival;  // id of the paper that wants, or has, the same name
  std::vector<NameCandidate> candidates;  // at most kBestShown, likeliest first
};

// Safe from any thread once made.
class Office {
 public:
  explicit Office(const ClassLists& lists);

  // `answer` is what a Space answered to /extract, or what this program read. Unreadable when its
  // posteriors are not sound.
  Result<PaperScores> score(const Json& answer) const;

  // For each paper, in order. Papers that share an exam and a subject are assigned together.
  std::vector<Judgement> judge(std::span<const Paper> papers) const;

 private:
  struct Person {
    std::string number, name;
    std::vector<std::string> subjects;  // empty: every one
  };
  using Members = std::vector<std::size_t>;

  Judgement subject_of(const Paper& paper) const;
  void place_group(std::span<const Paper> papers, const Members& members, std::span<Judgement> judged) const;
  void judge_by_rules(const Paper& paper, Judgement& judged) const;

  NumberRules rules_;
  std::vector<Person> people_;
  std::map<std::string, std::size_t, std::less<>> by_number_;
  std::vector<std::string> codes_;
  ValueTree number_tree_, code_tree_;
};

}  // namespace alcove::sheets
