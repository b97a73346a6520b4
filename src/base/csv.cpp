#include "base/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace alcove {
namespace {

constexpr std::size_t kMaxRows = 1'000'000;
constexpr std::size_t kMaxCells = 1'000;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string cell(1, '"');
  for (const char letter : text) cell.append(letter == '"' ? 2 : 1, letter);
  cell.push_back('"');
  return cell;
}

char delimiter_of(std::string_view text) {
  const auto line = text.substr(0, text.find('\n'));
  return *std::ranges::max_element(std::string_view(",;\t"), {},
                                   [&](char candidate) { return std::ranges::count(line, candidate); });
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text), delimiter_(delimiter_of(text)) {}

  bool at_end() const { return rest_.empty(); }

  Result<CsvRow> row() {
    CsvRow row{.line = line_};
    do {
      if (row.cells.size() == kMaxCells)
        return fail(ErrorKind::TooLarge, fmt::format("line {}: more than {} columns", line_, kMaxCells));
      row.cells.push_back(TRY(cell()));
    } while (taken(delimiter_));
    if (!rest_.empty()) end_line();
    return row;
  }

 private:
  bool taken(char letter) {
    if (!rest_.starts_with(letter)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Result<std::string> cell() {
    if (taken('"')) return quoted_cell();
    const auto end = std::min(rest_.find_first_of(std::string("\r\n") + delimiter_), rest_.size());
    std::string cell(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return cell;
  }

  Result<std::string> quoted_cell() {
    const auto opened = line_;
    std::string cell;
    for (;;) {
      const auto quote = rest_.find('"');
      if (quote == std::string_view::npos)
        return fail(ErrorKind::Unreadable, fmt::format("line {}: a quoted cell never ends", opened));
      cell += rest_.substr(0, quote);
      line_ += static_cast<std::size_t>(std::ranges::count(rest_.substr(0, quote), '\n'));
      rest_.remove_prefix(quote + 1);
      if (!taken('"')) break;
      cell += '"';
    }
    // What follows a closing quote belongs to the cell: spreadsheets read it so.
    const auto end = std::min(rest_.find_first_of(std::string("\r\n") + delimiter_), rest_.size());
    cell += rest_.substr(0, end);
    rest_.remove_prefix(end);
    return cell;
  }

  void end_line() {
    taken('\r');
    taken('\n');
    ++line_;
  }

  std::string_view rest_;
  char delimiter_;
  std::size_t line_ = 1;
};

bool is_blank(const CsvRow& row) { return row.cells.size() == 1 && row.cells.front().empty(); }

}  // namespace

std::string csv_row(const std::vector<std::string>& cells) {
  std::vector<std::string> row;
  for (const auto& cell : cells) row.push_back(quoted(cell));
  return fmt::format("{}", fmt::join(row, ","));
}

Result<std::vector<CsvRow>> read_csv(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<CsvRow> rows;
  for (Reader reader(text); !reader.at_end();) {
    auto row = TRY(reader.row());
    if (is_blank(row)) continue;
    if (rows.size() == kMaxRows)
      return fail(ErrorKind::TooLarge, fmt::format("more than {} rows; split the file", kMaxRows));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace alcove
