#include "engine/loader.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>

#ifdef __SANITIZE_ADDRESS__
// What the runtime's threads leave at exit is theirs.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libopenvino\nleak:libtbb\nleak:libonnxruntime\n";
}
#endif

namespace alcove::engine {
namespace {

constexpr const char* kRemedy = "build it with script/build, or put it beside the program";

Result<Runtime*> open_file(const std::filesystem::path& file, Device device) {
#ifdef __SANITIZE_ADDRESS__
  ::setenv("TBB_ENABLE_SANITIZERS", "1", 0);  // or TBB opens its parts in a way that the sanitizer forbids
#endif
  // RTLD_LOCAL: the runtime's protobuf and ours never meet. Never closed: sessions may outlive any owner.
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* reason = ::dlerror();
    return fail(ErrorKind::Unavailable, fmt::format("{} cannot be opened ({}); {}", file.string(),
                                                    reason ? reason : "no reason given", kRemedy));
  }
  using Entry = const Plugin* (*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(library, kPluginEntry));
  const Plugin* plugin = entry ? entry() : nullptr;
  if (!plugin || plugin->version != kPluginVersion)
    return fail(ErrorKind::Unavailable,
                fmt::format("{} belongs to another version of Alcove ({}; {} is needed); {}", file.string(),
                            plugin ? plugin->version : 0, kPluginVersion, kRemedy));
  return plugin->open(device);
}

}  // namespace

std::vector<std::filesystem::path> plugin_folders() {
  std::vector<std::filesystem::path> folders;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) folders = {program.parent_path(), program.parent_path() / "engine"};
  if (const char* named = std::getenv("ALCOVE_ENGINE"); named && *named) folders.emplace_back(named);
  return folders;
}

Result<Runtime*> open_runtime(const std::vector<std::filesystem::path>& folders, const char* file,
                              Device device) {
  std::vector<std::string> looked_for;
  for (const auto& folder : folders) {
    const auto path = folder / file;
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) return open_file(path, device);
    looked_for.push_back(path.string());
  }
  return fail(ErrorKind::Unavailable, fmt::format("models cannot run without {}, looked for as {}; {}", file,
                                                  fmt::join(looked_for, " and "), kRemedy));
}

}  // namespace alcove::engine
