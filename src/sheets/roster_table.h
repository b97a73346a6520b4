#pragma once
// A spreadsheet's text file as rows of cells, whatever program and country it was saved in.

#include <string>
#include <vector>

#include "base/bytes.h"

namespace alcove::sheets {

constexpr std::size_t kMaxTableBytes = 64 * 1024 * 1024;
constexpr std::size_t kMaxTableRows = 200'000;

struct TableRow {
  int line = 1;  // of the file, from 1, at which the row starts: a quoted cell may hold line ends
  std::vector<std::string> cells;  // UTF-8, white space and invisible marks around and in them taken off
  bool had_marks = false;          // invisible marks (of writing direction, of zero width) were among it
};

struct Table {
  std::vector<TableRow> rows;  // those with anything in them
  std::string encoding;        // "UTF-8", "UTF-16", "Windows-1252"
};

// Encodings by their byte order mark; without one UTF-8 when it is sound UTF-8, else Windows-1252. TooLarge
// over the limits above and those of base/csv.h; Unreadable for an empty file, for one that is no text (a
// spreadsheet's own format is named), and for a quote that is never closed, with its line.
Result<Table> read_table(Bytes file);

}  // namespace alcove::sheets
