#include "app/version.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/version.h"
#include "engine/loader.h"

namespace alcove::app {
namespace {

// Looked for, not opened: whoever asks for a version does not want OpenVINO in memory.
std::string engine_text() {
  for (const auto& folder : engine::plugin_folders()) {
    std::error_code ignored;
    if (std::filesystem::exists(folder / engine::kPluginFile, ignored))
      return (folder / engine::kPluginFile).string();
  }
  return "none here: sheets are read and texts embedded elsewhere";
}

}  // namespace

std::string version_text() {
  const std::string_view commit = ALCOVE_COMMIT;
  return fmt::format("{}\ncommit   {}\ncompiler {}\ninside   {}\nengine   {}", kVersion,
                     commit.empty() ? "unknown" : commit, ALCOVE_COMPILER, ALCOVE_INSIDE, engine_text());
}

}  // namespace alcove::app
