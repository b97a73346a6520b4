#include "app/sheet_files.h"

#include <set>

#include "imaging/decode.h"

namespace alcove::app {

namespace fs = std::filesystem;

std::vector<fs::path> sheet_files(const std::vector<std::string>& names) {
  std::vector<fs::path> files;
  for (const auto& name : names) {
    std::error_code unreadable;
    if (!fs::is_directory(name, unreadable)) {
      files.emplace_back(name);
      continue;
    }
    std::set<fs::path> inside;
    for (const auto& entry : fs::directory_iterator(name, unreadable))
      if (imaging::is_listed_extension(entry.path().filename().string())) inside.insert(entry.path());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

}  // namespace alcove::app
