#pragma once
// The folder in which the Hub's clients keep what they fetched, each other's files included. Layout and file
// formats are huggingface_hub's:
//
//   CACHE/models--owner--name/refs/REVISION              40 hex digits, no line break
//                             blobs/ETAG                 content
//                             snapshots/COMMIT/PATH      relative link to a blob
//                             trees/COMMIT.json          what the commit holds
//                             .no_exist/COMMIT/PATH      known to be absent
//   CACHE/.locks/models--owner--name/ETAG.lock           flock'ed while a blob is written

#include <filesystem>
#include <optional>
#include <stop_token>

#include "hub/repo.h"

namespace alcove::hub {

class RepoCache {
 public:
  RepoCache(std::filesystem::path cache, const Repo& repo);

  // Names alone; nothing is touched.
  std::filesystem::path blob(const std::string& etag) const;
  std::filesystem::path snapshot(const std::string& commit) const;
  std::filesystem::path part(const std::string& etag) const;  // ours while it is incomplete
  std::filesystem::path tree(const std::string& commit) const;

  // The commit a revision named when it was last asked for; a commit names itself.
  std::optional<std::string> commit_of(const std::string& revision) const;
  // The file of this commit, if it is here whole.
  std::optional<std::filesystem::path> find(const std::string& commit, const std::string& path) const;

  // Creates the folders, with CACHEDIR.TAG. BadInput, saying whose they are, when they cannot be written.
  Result<void> prepare() const;
  // A cache that cannot be written to may still be read: what only speeds up the next call fails in silence.
  void remember_revision(const std::string& revision, const std::string& commit) const;
  void remember_absence(const std::string& commit, const std::string& path) const;
  void remember_tree(const std::string& commit, const std::string& json) const;
  // Makes snapshots/COMMIT/PATH point to the blob.
  Result<std::filesystem::path> link(const std::string& commit, const std::string& path,
                                     const std::string& etag) const;

 private:
  friend class BlobLock;
  std::filesystem::path cache_, folder_, locks_;
};

// Held while a blob is written; other processes and the Python client wait for it.
class BlobLock {
 public:
  // Unavailable when the stop token is set before the lock is free.
  static Result<BlobLock> take(const RepoCache& cache, const std::string& etag, const std::stop_token& stop);
  BlobLock(BlobLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  BlobLock& operator=(BlobLock&&) = delete;
  ~BlobLock();

 private:
  explicit BlobLock(int file) : file_(file) {}
  int file_;
};

// Writes beside the target and renames, so that nobody ever meets half a file.
Result<void> write_whole(const std::filesystem::path& path, const std::string& text);

}  // namespace alcove::hub
