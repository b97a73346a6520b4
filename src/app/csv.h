#pragma once
// One row of comma-separated values.

#include <string>
#include <vector>

namespace alcove::app {

// As RFC 4180 wants cells quoted; the line's end is the caller's.
std::string csv_row(const std::vector<std::string>& cells);

}  // namespace alcove::app
