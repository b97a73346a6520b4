#pragma once
// The files of a folder that go into a repository.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace alcove::hub {

struct LocalFile {
  std::string path;            // in the repository
  std::filesystem::path file;  // on this machine
  std::uint64_t size = 0;
};

// What never goes to a Hub: git's and the tools' own folders, caches, indexes made at run time, secrets. As
// lines of a .gitignore, which is where `alcove space workflow` writes them too.
std::span<const char* const> left_out();

// Every regular file below `folder`, sorted by path, each under `prefix` in the repository. Hidden files such
// as .gitattributes go along. BadInput for a link that leads out of `within` (the folder itself when empty),
// and for a name that no repository may hold.
Result<std::vector<LocalFile>> list_folder(const std::filesystem::path& folder,
                                           const std::string& prefix = {},
                                           const std::filesystem::path& within = {});

// A weight file's name where git left the weight's place: three lines instead of the content.
bool is_lfs_pointer(const std::filesystem::path& file);

}  // namespace alcove::hub
