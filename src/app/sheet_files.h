#pragma once
// Which sheets a command line names.

#include <filesystem>
#include <string>
#include <vector>

namespace alcove::app {

// A folder stands for the files in it that look like sheets, in name order.
std::vector<std::filesystem::path> sheet_files(const std::vector<std::string>& names);

}  // namespace alcove::app
