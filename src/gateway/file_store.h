#pragma once
// The sheets' bytes on this machine's disk, each under the name its content gives it.

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace alcove::gateway {

// Safe from any thread, and from several processes in one folder.
class FileStore {
 public:
  explicit FileStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // On the disk, synced, readable by this user alone (0600), when it returns. A file that is there is not
  // written again. Unavailable, code disk_full or database_read_only, when it cannot be kept; nothing is left
  // behind then.
  Result<void> put(const std::string& sha256, Bytes content) const;
  // NotFound when it is not here; Unreadable when it is no longer what it was.
  Result<std::string> get(const std::string& sha256) const;
  bool has(const std::string& sha256) const;
  void remove(const std::string& sha256) const;  // what is not there is not missed
  // What came longer ago, unfinished drafts (`.` before their sha256) too; nothing is opened.
  std::vector<std::string> older_than(std::chrono::seconds age) const;
  std::filesystem::path path_of(const std::string& sha256) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace alcove::gateway
