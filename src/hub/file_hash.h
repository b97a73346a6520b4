#pragma once
// Names of content, from a file read in pieces.

#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"

namespace alcove::hub {

struct FileHash {
  std::uint64_t size = 0;
  std::string sha256;    // of the content
  std::string git_sha1;  // of "blob SIZE\0" and the content, as git names it
};

enum class Hashes { Sha256, GitSha1 };

// Only the hash that is asked for is filled in. Unreadable when the file changes its size meanwhile.
Result<FileHash> hash_file(const std::filesystem::path& path, Hashes which,
                           const std::function<void(std::uint64_t done)>& progress = {});

}  // namespace alcove::hub
