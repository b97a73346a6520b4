#include "app/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace alcove::app {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string cell(1, '"');
  for (const char letter : text) cell.append(letter == '"' ? 2 : 1, letter);
  cell.push_back('"');
  return cell;
}

}  // namespace

std::string csv_row(const std::vector<std::string>& cells) {
  std::vector<std::string> row;
  for (const auto& cell : cells) row.push_back(quoted(cell));
  return fmt::format("{}", fmt::join(row, ","));
}

}  // namespace alcove::app
