#include "store/paper_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

namespace alcove::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStale = "stale";  // grown from an index that no longer serves

std::unexpected<Error> failed(const fs::path& path, std::string_view what, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return fail(ErrorKind::Unavailable,
              fmt::format("{} cannot be {}: {}; {}", path.string(), what, std::strerror(error),
                          full ? "make room on its disk" : "give a --data folder that this user may write"),
              std::string(full ? kDiskFull : kReadOnly));
}

Result<void> sync(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  const int error = errno;
  if (file >= 0) ::close(file);
  if (!synced) return failed(path, "written", error);
  return {};
}

std::string new_generation() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

void remove_database(const fs::path& file) {
  std::error_code ignored;
  for (const auto* ending : {"", "-wal", "-shm", "-journal"}) fs::remove(file.string() + ending, ignored);
}

}  // namespace

bool PaperFolder::has_next() const {
  std::error_code unreadable;
  return fs::exists(next(), unreadable);
}

bool PaperFolder::exists() const {
  std::error_code unreadable;
  return fs::exists(current(), unreadable) || has_next();
}

// Under the name of a next one only when it is whole; and never over one that another process has begun.
Result<void> PaperFolder::copy_current() const {
  const auto part = fmt::format("{}.{}.part", next().string(), ::getpid());
  std::error_code failure;
  fs::copy_file(current(), part, fs::copy_options::overwrite_existing, failure);
  fs::permissions(part, fs::perms::owner_read | fs::perms::owner_write, failure);
  const int linked = failure ? failure.value() : ::link(part.c_str(), next().c_str()) == 0 ? 0 : errno;
  std::error_code ignored;
  fs::remove(part, ignored);
  if (linked != 0 && linked != EEXIST) return failed(next(), "written", linked);
  return {};
}

Result<PaperIndex> PaperFolder::open_next() const {
  std::error_code unreadable;
  std::string generation;
  if (fs::exists(current(), unreadable)) {
    auto serving = TRY(PaperIndex::open(current()));
    generation = TRY(serving.note("generation"));
    if (!has_next()) TRY(copy_current());
  }
  auto index = TRY(PaperIndex::open_to_write(next()));
  // A fresh copy has its original's generation, one begun earlier has noted it; what has neither grew from an
  // index that no longer serves.
  if (TRY(index.note("base")) != generation && TRY(index.note("generation")) != generation)
    return fail(ErrorKind::BadInput, "", std::string(kStale));
  TRY(index.set_note("base", generation));
  return index;
}

Result<PaperIndex> PaperFolder::begin() const {
  std::error_code failure;
  fs::create_directories(folder_, failure);
  if (failure) return failed(folder_, "made", failure.value());
  auto index = open_next();
  if (index || (index.error().code != kStale && index.error().code != kDamaged)) return index;
  // Nothing of worth is lost: what serves has all that was ever finished.
  if (index.error().code == kDamaged && !has_next()) return index;
  remove_database(next());
  return open_next();
}

Result<void> PaperFolder::finish(PaperIndex index) const {
  TRY(index.set_note("generation", new_generation()));
  TRY(index.seal());
  TRY(sync(next()));
  // While the index is still open, and with it the lock: nobody may begin on it in between.
  if (::rename(next().c_str(), current().c_str()) != 0) return failed(current(), "replaced", errno);
  return sync(folder_);
}

void PaperFolder::discard(PaperIndex index) const {
  // Removed while it is still open, and with it the lock.
  remove_database(next());
  static_cast<void>(index);
}

fs::path index_folder(const fs::path& storage) {
  const auto guides = storage / "chroma_db_index";
  std::error_code unreadable;
  return !PaperFolder(storage).exists() && fs::is_directory(guides, unreadable) ? guides : storage;
}

std::string file_stamp(const fs::path& file) {
  struct stat state;
  if (::stat(file.c_str(), &state) != 0) return "";
  return fmt::format("{}.{}.{}.{}", state.st_ino, state.st_size, state.st_mtim.tv_sec, state.st_mtim.tv_nsec);
}

}  // namespace alcove::store
