#include "hub/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "net/retry.h"

namespace alcove::hub {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This file is a cache directory tag created by Alcove and huggingface_hub.\n";

std::unexpected<Error> not_writable(const fs::path& path) {
  return fail(
      ErrorKind::BadInput,
      fmt::format("{} cannot be written ({}); it may belong to another user: set HF_HOME to a folder of your "
                  "own",
                  path.string(), std::strerror(errno)),
      "not_writable");
}

Result<void> make_folder(const fs::path& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) {
    errno = failed.value();
    return not_writable(path);
  }
  return {};
}

}  // namespace

Result<void> write_whole(const fs::path& path, const std::string& text) {
  TRY(make_folder(path.parent_path()));
  // The threads of a pull write some of these at the same moment.
  static std::atomic<unsigned> number = 0;
  const auto partial = fs::path(fmt::format("{}.{}.{}.partial", path.string(), ::getpid(), number++));
  std::ofstream out(partial, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  std::error_code failed;
  if (out) fs::rename(partial, path, failed);
  if (!out || failed) {
    const auto error = not_writable(path);
    fs::remove(partial, failed);
    return error;
  }
  return {};
}

RepoCache::RepoCache(fs::path cache, const Repo& repo)
    : cache_(std::move(cache)),
      folder_(cache_ / repo.cache_folder()),
      locks_(cache_ / ".locks" / repo.cache_folder()) {}

fs::path RepoCache::blob(const std::string& etag) const { return folder_ / "blobs" / etag; }
fs::path RepoCache::snapshot(const std::string& commit) const { return folder_ / "snapshots" / commit; }
fs::path RepoCache::part(const std::string& etag) const {
  return folder_ / "blobs" / (etag + ".alcove-part");
}
fs::path RepoCache::tree(const std::string& commit) const { return folder_ / "trees" / (commit + ".json"); }

std::optional<std::string> RepoCache::commit_of(const std::string& revision) const {
  if (is_commit(revision)) return revision;
  if (!check_path(revision)) return std::nullopt;
  std::ifstream in(folder_ / "refs" / revision);
  std::string commit(41, '\0');
  in.read(commit.data(), 41);
  commit.resize(static_cast<std::size_t>(in.gcount()));
  if (!is_commit(commit)) return std::nullopt;
  return commit;
}

std::optional<fs::path> RepoCache::find(const std::string& commit, const std::string& path) const {
  const auto file = snapshot(commit) / path;
  std::error_code failed;
  if (!fs::is_regular_file(file, failed)) return std::nullopt;
  return file;
}

Result<void> RepoCache::prepare() const {
  TRY(make_folder(folder_ / "blobs"));
  TRY(make_folder(locks_));
  std::error_code failed;
  if (!fs::exists(cache_ / "CACHEDIR.TAG", failed)) TRY(write_whole(cache_ / "CACHEDIR.TAG", kTag));
  return {};
}

void RepoCache::remember_revision(const std::string& revision, const std::string& commit) const {
  if (is_commit(revision) || !check_path(revision) || commit_of(revision) == commit) return;
  (void)write_whole(folder_ / "refs" / revision, commit);
}

void RepoCache::remember_absence(const std::string& commit, const std::string& path) const {
  if (is_commit(commit)) (void)write_whole(folder_ / ".no_exist" / commit / path, "");
}

void RepoCache::remember_tree(const std::string& commit, const std::string& json) const {
  (void)write_whole(tree(commit), json);
}

Result<fs::path> RepoCache::link(const std::string& commit, const std::string& path,
                                 const std::string& etag) const {
  const auto pointer = snapshot(commit) / path;
  TRY(make_folder(pointer.parent_path()));
  const auto target = blob(etag).lexically_relative(pointer.parent_path());
  std::error_code failed;
  if (fs::read_symlink(pointer, failed) == target) return pointer;
  // Through another name, so that a reader never meets a moment without the file.
  const auto made = fs::path(fmt::format("{}.{}.link", pointer.string(), ::getpid()));
  fs::remove(made, failed);
  fs::create_symlink(target, made, failed);
  if (!failed) fs::rename(made, pointer, failed);
  if (failed) {
    errno = failed.value();
    return not_writable(pointer);
  }
  return pointer;
}

Result<BlobLock> BlobLock::take(const RepoCache& cache, const std::string& etag,
                                const std::stop_token& stop) {
  const auto path = cache.locks_ / (etag + ".lock");
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0664);
  if (file < 0) return not_writable(path);
  BlobLock lock(file);
  while (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return not_writable(path);
    if (!net::wait_for(std::chrono::milliseconds(50), stop))
      return fail(ErrorKind::Unavailable, "cancelled while another process fetched the same file",
                  "cancelled");
  }
  return lock;
}

BlobLock::~BlobLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace alcove::hub
