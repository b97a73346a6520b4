#include "sheets/roster.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>

#include "sheets/roster_table.h"

namespace alcove::sheets {
namespace {

constexpr std::size_t kMaxCode = 32;
constexpr std::size_t kMaxName = 300;  // bytes

enum class Column { Number, Name, FirstName, LastName, SubjectCode, SubjectTitle, Email, Participant };

struct Heading {
  std::string_view text;  // small letters and digits alone
  Column column;
};

constexpr Heading kRosterHeadings[] = {
    {"registernumber", Column::Number},
    {"registerno", Column::Number},
    {"regno", Column::Number},
    {"regnumber", Column::Number},
    {"registrationnumber", Column::Number},
    {"rollnumber", Column::Number},
    {"rollno", Column::Number},
    {"idnumber", Column::Number},  // Moodle's
    {"studentid", Column::Number},
    {"studentnumber", Column::Number},
    {"matriculationnumber", Column::Number},
    {"number", Column::Number},
    {"name", Column::Name},
    {"fullname", Column::Name},
    {"studentname", Column::Name},
    {"nameofthecandidate", Column::Name},
    {"firstname", Column::FirstName},
    {"lastname", Column::LastName},
    {"surname", Column::LastName},
    {"subjectcode", Column::SubjectCode},
    {"coursecode", Column::SubjectCode},
    {"subject", Column::SubjectCode},
    {"emailaddress", Column::Email},
    {"email", Column::Email},
    {"identifier", Column::Participant},  // Moodle's: "Participant 12345"
};

constexpr Heading kSubjectHeadings[] = {
    {"subjectcode", Column::SubjectCode},   {"coursecode", Column::SubjectCode},
    {"code", Column::SubjectCode},          {"subject", Column::SubjectCode},
    {"subjecttitle", Column::SubjectTitle}, {"subjectname", Column::SubjectTitle},
    {"coursetitle", Column::SubjectTitle},  {"coursename", Column::SubjectTitle},
    {"title", Column::SubjectTitle},        {"name", Column::SubjectTitle},
};

constexpr std::string_view kCodes[] = {"duplicate",     "encoding",        "formula",    "invisible_marks",
                                       "no_heading",    "no_name",         "no_number",  "not_a_code",
                                       "not_a_number",  "number_repaired", "odd_length", "other_name",
                                       "rounded_number"};

std::string plain(std::string_view heading) {
  std::string letters;
  for (const char each : heading) {
    const char small = each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
    if ((small >= 'a' && small <= 'z') || (small >= '0' && small <= '9')) letters += small;
  }
  return letters;
}

using Columns = std::map<Column, std::size_t>;

Columns columns_of(const TableRow& row, std::span<const Heading> headings) {
  Columns columns;
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    const auto found = std::ranges::find(headings, plain(row.cells[i]), &Heading::text);
    if (found != headings.end()) columns.emplace(found->column, i);
  }
  return columns;
}

std::string cell_of(const TableRow& row, const Columns& columns, Column column) {
  const auto found = columns.find(column);
  if (found == columns.end() || found->second >= row.cells.size()) return {};
  auto cell = row.cells[found->second];
  if (cell.size() <= kMaxName) return cell;
  auto end = kMaxName;
  while ((static_cast<unsigned char>(cell[end]) & 0xC0) == 0x80) --end;  // not within a letter
  return cell.substr(0, end);
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char each) { return each >= '0' && each <= '9'; });
}

// 2.12223E+11: what a spreadsheet leaves of a long number.
bool is_scientific(std::string_view text) {
  const auto exponent = text.find_first_of("eE");
  if (exponent == std::string_view::npos || exponent + 1 >= text.size()) return false;
  const auto mantissa = text.substr(0, exponent);
  auto power = text.substr(exponent + 1);
  const bool has_sign = power.front() == '+' || power.front() == '-';
  if (has_sign) power.remove_prefix(1);
  const auto point = mantissa.find_first_of(".,");
  if (point == std::string_view::npos) return has_sign && is_digits(mantissa) && is_digits(power);
  return is_digits(mantissa.substr(0, point)) && is_digits(mantissa.substr(point + 1)) && is_digits(power);
}

// What spreadsheets wrap a number in so that it stays one, and what programs add to it: ="123", '123, 123.0.
std::string_view unwrapped(std::string_view text) {
  if (text.starts_with("=\"") && text.ends_with('"') && text.size() > 3)
    return text.substr(2, text.size() - 3);
  if (text.starts_with('\'')) return text.substr(1);
  if (text.ends_with(".0") && is_digits(text.substr(0, text.size() - 2)))
    return text.substr(0, text.size() - 2);
  return text;
}

bool is_formula(std::string_view text) {
  return !text.empty() && std::string_view("=+-@").contains(text.front());
}

class Notebook {
 public:
  explicit Notebook(Findings& findings) : findings_(findings) {}

  void note(int line, std::string_view code, std::string message) {
    add({line, Severity::Note, std::string(code), std::move(message)});
  }
  void leave_out(int line, std::string_view code, std::string message) {
    ++findings_.left_out;
    add({line, Severity::LeftOut, std::string(code), std::move(message)});
  }
  void sort() { std::ranges::stable_sort(findings_.list, {}, &Finding::line); }

 private:
  void add(Finding finding) {
    if (findings_.list.size() < kMaxFindings) {
      findings_.list.push_back(std::move(finding));
    } else {
      ++findings_.unlisted;
    }
  }
  Findings& findings_;
};

void note_encoding(Notebook& notes, const Table& table) {
  if (table.encoding == "Windows-1252")
    notes.note(0, "encoding",
               "the file is not UTF-8 and was read as Windows-1252: look at a name with an accent");
}

// The register number or subject code of a cell; a finding and nothing where there is none.
std::optional<std::string> code_of(Notebook& notes, const TableRow& row, const std::string& cell,
                                   std::string_view what, std::string_view refusal) {
  if (cell.empty()) {
    notes.leave_out(row.line, "no_number", fmt::format("the line has no {}", what));
    return std::nullopt;
  }
  const auto text = unwrapped(cell);
  if (is_scientific(text)) {
    notes.leave_out(
        row.line, "rounded_number",
        fmt::format("{} was shortened by a spreadsheet, its last digits are lost: set the column's "
                    "format to text and export the list again",
                    cell));
    return std::nullopt;
  }
  auto code = compared_form(text);
  if (is_formula(text) || code.empty()) {
    notes.leave_out(row.line, is_formula(text) ? "formula" : refusal,
                    fmt::format("\"{}\" is no {}", cell.substr(0, 60), what));
    return std::nullopt;
  }
  if (code != cell)
    notes.note(row.line, "number_repaired", fmt::format("\"{}\" was taken as {}", cell.substr(0, 60), code));
  return code;
}

void note_marks(Notebook& notes, const TableRow& row) {
  if (row.had_marks)
    notes.note(row.line, "invisible_marks",
               "invisible marks of writing direction or of zero width were taken out");
}

void note_formula(Notebook& notes, int line, const std::string& text) {
  if (is_formula(text))
    notes.note(line, "formula",
               fmt::format("\"{}\" begins like a formula: it is kept as text, and exports put a ' before it",
                           text.substr(0, 60)));
}

std::string name_of(const TableRow& row, const Columns& columns) {
  auto name = cell_of(row, columns, Column::Name);
  if (!name.empty()) return name;
  const auto first = cell_of(row, columns, Column::FirstName), last = cell_of(row, columns, Column::LastName);
  return first.empty() || last.empty() ? first + last : first + " " + last;
}

// "Participant 12345" → "12345"
std::string participant_of(const std::string& identifier) {
  const auto space = identifier.rfind(' ');
  const auto number = space == std::string::npos ? identifier : identifier.substr(space + 1);
  return is_digits(number) ? number : std::string();
}

// Register numbers of one school have one length; a shorter one has often lost a leading zero.
void note_odd_lengths(Notebook& notes, const std::vector<RosterEntry>& entries) {
  std::map<std::size_t, std::size_t> counts;
  for (const auto& entry : entries) ++counts[entry.register_number.size()];
  if (counts.empty()) return;
  const auto usual = std::ranges::max_element(counts, {}, [](const auto& each) { return each.second; });
  if (usual->second * 10 < entries.size() * 9) return;
  for (const auto& entry : entries)
    if (entry.register_number.size() != usual->first)
      notes.note(entry.line, "odd_length",
                 fmt::format("{} has {} characters, the others have {}: has a leading zero been lost?",
                             entry.register_number, entry.register_number.size(), usual->first));
}

// Rows behind the heading; without one, all of them, in the order the columns usually have.
std::span<const TableRow> body_of(const Table& table, Columns& columns, const Columns& usual,
                                  Notebook& notes) {
  if (!columns.empty()) return std::span(table.rows).subspan(1);
  columns = usual;
  notes.note(0, "no_heading",
             "the file has no line of headings: the columns were taken in their usual order");
  return table.rows;
}

// Whether some cell of the column looks like what it should hold.
bool holds_codes(const TableRow& row, std::size_t column) {
  return column < row.cells.size() &&
         std::ranges::any_of(row.cells[column], [](char each) { return each >= '0' && each <= '9'; });
}

}  // namespace

std::string compared_form(std::string_view text) {
  // The digits zero of the scripts that register numbers come in, as UTF-8.
  constexpr std::string_view kZeros[] = {"\xD9\xA0", "\xDB\xB0", "\xE0\xA5\xA6", "\xEF\xBC\x90"};
  std::string form;
  for (std::size_t at = 0; at < text.size();) {
    const char each = text[at];
    if ((each >= '0' && each <= '9') || (each >= 'A' && each <= 'Z')) {
      form += each;
      ++at;
    } else if (each >= 'a' && each <= 'z') {
      form += static_cast<char>(each - 'a' + 'A');
      ++at;
    } else if (std::string_view(" -./").contains(each)) {
      ++at;
    } else {
      const auto zero = std::ranges::find_if(kZeros, [&](std::string_view digit) {
        const auto here = text.substr(at, digit.size());
        if (here.size() < digit.size() || !here.starts_with(digit.substr(0, digit.size() - 1))) return false;
        const int value = static_cast<unsigned char>(here.back()) - static_cast<unsigned char>(digit.back());
        return value >= 0 && value <= 9;
      });
      if (zero == std::end(kZeros)) return {};
      at += zero->size();
      form += static_cast<char>('0' + (text[at - 1] - zero->back()));
    }
  }
  return form.size() > kMaxCode ? std::string() : form;
}

Result<Roster> import_roster(Bytes file) {
  const auto table = TRY(read_table(file));
  auto columns = columns_of(table.rows.front(), kRosterHeadings);
  if (!columns.contains(Column::Number) && !holds_codes(table.rows.front(), 0))
    return fail(ErrorKind::Unreadable,
                "no column holds register numbers: head one of them register_number (in Moodle's grading "
                "worksheet: ID number, which is exported when users have one)",
                "no_number_column");
  if (!columns.contains(Column::Number)) columns.clear();

  Roster roster{.entries = {}, .encoding = table.encoding, .findings = {}};
  roster.from_moodle = columns.contains(Column::Participant);
  Notebook notes(roster.findings);
  note_encoding(notes, table);
  const Columns usual{{Column::Number, 0}, {Column::Name, 1}, {Column::SubjectCode, 2}};
  std::unordered_map<std::string, std::size_t> seen;  // number and subject → entry
  for (const auto& row : body_of(table, columns, usual, notes)) {
    note_marks(notes, row);
    auto number =
        code_of(notes, row, cell_of(row, columns, Column::Number), "register number", "not_a_number");
    if (!number) continue;
    RosterEntry entry{.register_number = *std::move(number),
                      .name = name_of(row, columns),
                      .subject_code = {},
                      .email = cell_of(row, columns, Column::Email),
                      .participant = participant_of(cell_of(row, columns, Column::Participant)),
                      .line = row.line};
    if (const auto subject = cell_of(row, columns, Column::SubjectCode); !subject.empty()) {
      auto code = code_of(notes, row, subject, "subject code", "not_a_code");
      if (!code) continue;
      entry.subject_code = *std::move(code);
    }
    const auto [first, is_new] =
        seen.try_emplace(entry.register_number + ' ' + entry.subject_code, roster.entries.size());
    if (!is_new) {
      const auto& earlier = roster.entries[first->second];
      notes.leave_out(
          row.line, earlier.name == entry.name ? "duplicate" : "other_name",
          fmt::format("{} is in line {} already{}", entry.register_number, earlier.line,
                      earlier.name == entry.name
                          ? std::string()
                          : fmt::format(", as \"{}\": find out whose number it is", earlier.name)));
      continue;
    }
    if (entry.name.empty()) notes.note(row.line, "no_name", "the line has no name");
    note_formula(notes, row.line, entry.name);
    roster.entries.push_back(std::move(entry));
  }
  note_odd_lengths(notes, roster.entries);
  notes.sort();
  return roster;
}

Result<SubjectList> import_subjects(Bytes file) {
  const auto table = TRY(read_table(file));
  auto columns = columns_of(table.rows.front(), kSubjectHeadings);
  if (!columns.contains(Column::SubjectCode) && !holds_codes(table.rows.front(), 0))
    return fail(ErrorKind::Unreadable, "no column holds subject codes: head one of them subject_code",
                "no_number_column");
  if (!columns.contains(Column::SubjectCode)) columns.clear();

  SubjectList list{.subjects = {}, .encoding = table.encoding, .findings = {}};
  Notebook notes(list.findings);
  note_encoding(notes, table);
  const Columns usual{{Column::SubjectCode, 0}, {Column::SubjectTitle, 1}};
  std::unordered_map<std::string, int> seen;
  for (const auto& row : body_of(table, columns, usual, notes)) {
    note_marks(notes, row);
    auto code = code_of(notes, row, cell_of(row, columns, Column::SubjectCode), "subject code", "not_a_code");
    if (!code) continue;
    const auto [first, is_new] = seen.try_emplace(*code, row.line);
    if (!is_new) {
      notes.leave_out(row.line, "duplicate", fmt::format("{} is in line {} already", *code, first->second));
      continue;
    }
    auto title = cell_of(row, columns, Column::SubjectTitle);
    note_formula(notes, row.line, title);
    list.subjects.push_back({*std::move(code), std::move(title), row.line});
  }
  notes.sort();
  return list;
}

std::vector<std::string_view> finding_codes() { return {std::begin(kCodes), std::end(kCodes)}; }

}  // namespace alcove::sheets
