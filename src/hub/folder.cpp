#include "hub/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "hub/patterns.h"
#include "hub/repo.h"

namespace alcove::hub {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLeftOut[] = {
    ".git/",
    ".github/",
    ".cache/",
    ".venv/",
    "venv/",
    "node_modules/",
    "__pycache__/",
    "api_cache/",
    "chroma_db_persistent/",
    "persistent_storage/",
    ".env",
    ".env.*",
    "*.token",
    "*.pem",
    "*.key",
    "id_rsa*",
    ".DS_Store",
    "*.partial",
    "*.alcove-part",
};

// A pattern with a slash at its end names folders anywhere, another one files anywhere.
bool is_left_out(const std::string& name, bool folder) {
  return std::ranges::any_of(kLeftOut, [&](std::string_view pattern) {
    if (!pattern.ends_with('/')) return !folder && matches(name, pattern);
    return folder && name == pattern.substr(0, pattern.size() - 1);
  });
}

bool is_below(const fs::path& path, const fs::path& folder) {
  const auto [end, _] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

Result<void> add(const fs::directory_entry& entry, const fs::path& root, const fs::path& within,
                 const std::string& prefix, std::vector<LocalFile>& files) {
  std::error_code failed;
  const auto relative = entry.path().lexically_relative(root).generic_string();
  if (entry.is_symlink(failed)) {
    const auto target = fs::canonical(entry.path(), failed);
    if (failed || !is_below(target, fs::canonical(within, failed)))
      return fail(ErrorKind::BadInput,
                  fmt::format("{} is a link that leads out of {}; copy the file there, or remove the link",
                              entry.path().string(), within.string()));
  }
  if (!entry.is_regular_file(failed)) return {};
  const auto size = entry.file_size(failed);
  if (failed) return fail(ErrorKind::NotFound, fmt::format("{} has vanished", entry.path().string()));
  auto path = prefix + relative;
  TRY(check_path(path));
  files.push_back({std::move(path), entry.path(), size});
  return {};
}

}  // namespace

std::span<const char* const> left_out() { return kLeftOut; }

Result<std::vector<LocalFile>> list_folder(const fs::path& folder, const std::string& prefix,
                                           const fs::path& within) {
  std::error_code failed;
  std::vector<LocalFile> files;
  auto walk = fs::recursive_directory_iterator(folder, failed);
  if (failed)
    return fail(ErrorKind::NotFound, fmt::format("{} is no folder that can be read", folder.string()));
  for (; walk != fs::recursive_directory_iterator(); walk.increment(failed)) {
    if (failed)
      return fail(ErrorKind::Unreadable, fmt::format("{} cannot be read to its end", folder.string()));
    const bool is_folder = walk->is_directory(failed) && !walk->is_symlink(failed);
    if (is_left_out(walk->path().filename().string(), is_folder)) {
      if (is_folder) walk.disable_recursion_pending();
      continue;
    }
    TRY(add(*walk, folder, within.empty() ? folder : within, prefix, files));
  }
  std::ranges::sort(files, {}, &LocalFile::path);
  return files;
}

bool is_lfs_pointer(const fs::path& file) {
  constexpr std::string_view kBegins = "version https://git-lfs.github.com/spec/v1";
  std::array<char, kBegins.size()> begin{};
  std::ifstream in(file, std::ios::binary);
  in.read(begin.data(), begin.size());
  return in && std::string_view(begin.data(), begin.size()) == kBegins;
}

}  // namespace alcove::hub
