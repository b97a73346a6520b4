#pragma once
// What the people of an office ask and say: which sheets wait for them, whose a sheet is, how an exam stands.

#include <chrono>
#include <map>
#include <mutex>

#include "gateway/class_lists.h"
#include "gateway/ledger.h"

namespace alcove::gateway {

// Who else has a sheet on the screen. A courtesy: what keeps two answers apart is ClassListBook::answer().
struct Hold {
  std::string reviewer, who;  // one window of one person
  std::chrono::steady_clock::time_point until;
};
constexpr std::chrono::seconds kHold{60};

struct Person {
  std::string register_number, name;
};

// Somebody who is missing, and the sheet that may be theirs.
struct LikelyPair {
  Person person;
  std::string uuid;
};

struct ExamOverview {
  ExamKey exam;
  std::vector<Record> papers;                // as they came
  std::map<std::string, std::string> names;  // by register number, of those who sit it
  std::vector<Person> absent;                // no accepted paper; at most kMostAbsent, in the list's order
  std::size_t absent_in_all = 0;
  std::vector<LikelyPair> pairs;
};
constexpr std::size_t kMostAbsent = 2'000;

// Safe from any thread.
class OfficeDesk {
 public:
  // Where the class lists are (class_lists.h). The ledger has to outlive the desk.
  static Result<std::unique_ptr<OfficeDesk>> open(const std::filesystem::path& data,
                                                  const std::string& address, Ledger& ledger);

  // Alike after alike: same exam, same trouble, similar number.
  Result<std::vector<Record>> queue(std::int64_t limit);
  Result<std::optional<GivenAnswer>> answer_about(const std::string& uuid);
  // NotFound without such a record; BadInput for a number that is none; else ClassListBook::answer().
  Result<std::int64_t> answer(GivenAnswer given, std::optional<std::int64_t> seen);

  // For kHold; none when it is the reviewer's own now, else whose it is.
  std::optional<Hold> hold(const std::string& uuid, const std::string& reviewer, const std::string& who);
  std::optional<Hold> holder(const std::string& uuid, const std::string& reviewer);  // somebody else

  Result<ExamOverview> exam(const ExamKey& key);
  // Those whose number or name has `text` in it, without regard to capitals; in the list's order.
  Result<std::vector<Person>> people(std::string_view text, std::size_t limit);
  // Those of the class list who have a number in Moodle's course, by register number.
  Result<std::map<std::string, sheets::RosterEntry>> participants();
  Result<ListVersion> keep(const sheets::Roster& roster, std::string_view file_name,
                           const std::string& sha256);

 private:
  OfficeDesk(ClassListBook book, Ledger& ledger) : book_(std::move(book)), ledger_(ledger) {}
  Result<std::shared_ptr<const sheets::ClassLists>> lists();  // with the mutex held

  std::mutex mutex_;
  ClassListBook book_;
  Ledger& ledger_;
  ClassListBook::State state_;
  std::shared_ptr<const sheets::ClassLists> lists_;
  std::map<std::string, Hold> holds_;  // by uuid
};

}  // namespace alcove::gateway
