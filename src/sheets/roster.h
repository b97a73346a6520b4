#pragma once
// Class lists and subject lists as offices export them, with a finding for every line that is not what it
// should be.

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace alcove::sheets {

enum class Severity {
  LeftOut,  // the line is not in the list
  Note,     // it is; somebody may want to look
};

struct Finding {
  int line = 0;  // of the file, from 1; 0: of the file as a whole
  Severity severity = Severity::Note;
  std::string code;     // a stable word: docs/roster.md has the list
  std::string message;  // one sentence, with the way out where there is one
};

constexpr std::size_t kMaxFindings = 1000;  // kept; the others are counted

struct Findings {
  std::vector<Finding> list;  // in the order of the lines, the file's own first
  std::size_t unlisted = 0;   // those beyond kMaxFindings
  std::size_t left_out = 0;   // lines that are not in the list
};

struct RosterEntry {
  std::string register_number;  // capitals and digits alone
  std::string name;             // may be empty
  std::string subject_code;     // empty: the person sits every subject
  std::string email;            // may be empty
  std::string participant;      // Moodle's number of the person in the course; digits, may be empty
  int line = 0;
};

struct Roster {
  std::vector<RosterEntry> entries;
  std::string encoding;
  bool from_moodle = false;  // it was a grading worksheet
  Findings findings;
};

struct Subject {
  std::string code;   // capitals and digits alone
  std::string title;  // may be empty
  int line = 0;
};

struct SubjectList {
  std::vector<Subject> subjects;
  std::string encoding;
  Findings findings;
};

// Columns are known by their headings (register_number, "Reg. No.", "ID number", …; name, "Full name", or
// first and last name; subject_code); without a heading the order is number, name, subject. Moodle's grading
// worksheet is such a list. A number once more is left out: the first line that has it counts. Unreadable
// when it is no table (roster_table.h) or no column holds register numbers. Names are foreign text: whoever
// shows or exports them has to treat them so.
Result<Roster> import_roster(Bytes file);

// Columns: code, title.
Result<SubjectList> import_subjects(Bytes file);

// A register number or subject code as it is compared: capitals and ASCII digits, without spaces, hyphens,
// dots and slashes; digits of other scripts are turned into ours. Empty when something else is left over, or
// when it is longer than 32.
std::string compared_form(std::string_view text);

// Every code of a finding, for the document.
std::vector<std::string_view> finding_codes();

}  // namespace alcove::sheets
