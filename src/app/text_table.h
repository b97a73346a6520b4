#pragma once
// Rows of text in columns, for a terminal.

#include <string>
#include <vector>

namespace alcove::app {

// The first row is the heading. Columns are as wide as their widest cell, two blanks apart; widths count
// UTF-8 characters.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace alcove::app
