#pragma once
// Comma-separated values: as RFC 4180 wants them written, as spreadsheets write them when read.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace alcove {

// One row; the line's end is the caller's.
std::string csv_row(const std::vector<std::string>& cells);

struct CsvRow {
  std::size_t line = 0;  // where it starts, from 1
  std::vector<std::string> cells;
};

// Every row that is not blank. A byte order mark is skipped; cells are parted by the comma, semicolon or tab
// that the first line has most of. A quote in the middle of an unquoted cell is an ordinary letter.
// Unreadable, naming the line, when a quoted cell never ends; TooLarge over 1,000,000 rows or 1,000 cells in
// one.
Result<std::vector<CsvRow>> read_csv(std::string_view text);

}  // namespace alcove
