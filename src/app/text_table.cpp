#include "app/text_table.h"

#include <algorithm>

namespace alcove::app {
namespace {

std::size_t width_of(const std::string& cell) {
  return static_cast<std::size_t>(
      std::ranges::count_if(cell, [](unsigned char byte) { return (byte & 0xC0) != 0x80; }));
}

// A file name may hold an escape sequence that would paint the terminal.
std::string printable(std::string cell) {
  for (auto& byte : cell)
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F) byte = '?';
  return cell;
}

}  // namespace

std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += printable(row[i]) + std::string(widths[i] - width_of(row[i]) + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace alcove::app
