#pragma once
// The records against the class lists: judged again whenever a record, a list or an answer comes, an exam at
// a time, and written where something changed.

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "gateway/class_lists.h"

namespace alcove::gateway {

// Used by one thread. Needs of the records' database the tables `records` (schema.h) and the trail
// (store/trail.h); each change leaves a row there.
class Matching {
 public:
  explicit Matching(ClassListBook book) : book_(std::move(book)) {}

  struct Progress {
    std::size_t written = 0;  // records whose judgement is another one
    bool more = false;        // there are records left to look at: call again
  };
  // Takes up what is new, at most kAtOnce records, so that others get at the database in between. When all
  // is taken up, judges what it concerns. After an error the next call goes on where this one stopped.
  Result<Progress> update(store::Connection& records);
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
    std::string fault;    // why it has no part in the matching: unreadable, or a copy of an earlier sheet
    std::string written;  // what the table says of it, as one text
    std::string who;      // the person who confirmed it
  };

  Result<void> reload();
  Result<bool> take_new(store::Connection& records);  // whether there may be more
  Result<void> take_answers();
  void score(Known& known, const std::string& reply) const;
  Result<std::size_t> judge_exam(store::Connection& records, const std::string& exam);
  struct Row;  // what the table is to say of a record
  Row row_of(const Known& known, const sheets::Judgement& judged) const;
  Result<void> write(store::Connection& records, const Known& known, const Row& row) const;

  ClassListBook book_;
  ClassListBook::State state_;
  std::int64_t last_record_ = 0;
  std::unique_ptr<sheets::Office> office_;
  bool has_roster_ = false;
  std::map<std::string, Known> known_;                     // by uuid
  std::map<std::string, std::vector<std::string>> exams_;  // exam → uuids, as they came
  std::set<std::string> changed_;                          // exams to be judged
};

}  // namespace alcove::gateway
