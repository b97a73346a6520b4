#pragma once
// The records against the class lists: judged again whenever a record, a list or an answer comes, an exam at
// a time, and written where something changed.

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "gateway/class_lists.h"
#include "store/trail.h"

namespace alcove::gateway {

// Used by one thread, with connections of its own: the ledger goes on beside it. Each change leaves a row in
// the trail (store/trail.h).
class Matching {
 public:
  // In the data folder, or in the database of `address` if that is not empty; the ledger has made its tables
  // (schema.h). `alone`: Unavailable ("database_in_use") when a gateway has the folder to itself.
  static Result<Matching> open(const std::filesystem::path& data, const std::string& address, bool alone);

  struct Progress {
    std::size_t written = 0;  // records whose judgement is another one
    bool more = false;        // there are records left to look at: call again
  };
  // Takes up what is new, at most kAtOnce records, so that others get at the database in between. When all
  // is taken up, judges what it concerns. After an error the next call goes on where this one stopped.
  Result<Progress> update();
  Result<std::size_t> update_all();  // until nothing is left; gives how many were written
  static constexpr std::int64_t kAtOnce = 50;

 private:
  // What is kept of a record between two looks.
  struct Known {
    sheets::Paper paper;
    std::string raw_number, raw_subject;  // as they were read
    std::vector<std::string> reading_reasons;
    std::string sha256, models;
    std::string exam_type, renamed;
    std::int64_t attempt = 1;
    std::string fault;     // why it has no part in the matching: unreadable, or a copy of an earlier sheet
    std::string written;   // what the table says of it, as one text
    GivenAnswer given;     // the newest answer about it; number 0: there is none
    bool is_news = false;  // the answer is not in the trail yet

    bool is_answered() const { return given.number > 0 && given.ruling != Ruling::Withdrawn; }
    // Whether it competes for a name: unless it has a fault, or in spite of it when a person said whose it
    // is.
    bool takes_part() const { return fault.empty() || (is_answered() && given.ruling == Ruling::Belongs); }
  };

  Matching(ClassListBook book, store::Connection records)
      : book_(std::move(book)), records_(std::move(records)) {}
  Result<void> reload();
  Result<bool> take_new();  // whether there may be more
  Result<void> take_answers();
  void score(Known& known, const std::string& reply) const;
  Result<std::size_t> judge_exam(const std::string& exam);
  struct Row;  // what the table is to say of a record
  Row row_of(const Known& known, const sheets::Judgement& judged) const;
  using Rows = std::vector<std::pair<Known*, Row>>;
  static void let_one_hold(Rows& rows);
  Result<void> write(Known& known, const Row& row);
  bool names_whom(const Known& known) const;  // whether the record's number is ours to write

  ClassListBook book_;
  store::Connection records_;
  ClassListBook::State state_;
  std::int64_t last_record_ = 0;
  std::unique_ptr<sheets::Office> office_;
  bool has_roster_ = false;
  std::map<std::string, Known> known_;                     // by uuid
  std::map<std::string, std::vector<std::string>> exams_;  // exam → uuids, as they came
  std::set<std::string> changed_;                          // exams to be judged
};

// Whether the trail is sound; `known`: an end of it that was noted elsewhere. Also beside a running gateway.
Result<store::TrailCheck> verify_trail(const std::filesystem::path& data, const std::string& address,
                                       const std::optional<store::TrailHead>& known);

}  // namespace alcove::gateway
