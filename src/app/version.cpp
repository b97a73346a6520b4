#include "app/version.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/version.h"
#include "engine/loader.h"

namespace alcove::app {
namespace {

// Looked for, not opened: whoever asks for a version does not want OpenVINO in memory.
std::string engines_text() {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto* file : {engine::kOpenVinoFile, engine::kOnnxRuntimeFile})
    for (const auto& folder : engine::plugin_folders())
      if (std::filesystem::exists(folder / file, ignored)) {
        found.push_back((folder / file).string());
        break;
      }
  if (found.empty()) return "none here: sheets are read and texts embedded elsewhere";
  return fmt::format("{}", fmt::join(found, ", "));
}

}  // namespace

std::string version_text() {
  const std::string_view commit = ALCOVE_COMMIT;
  return fmt::format("{}\ncommit   {}\ncompiler {}\ninside   {}\nengine   {}", kVersion,
                     commit.empty() ? "unknown" : commit, ALCOVE_COMPILER, ALCOVE_INSIDE, engines_text());
}

}  // namespace alcove::app
