#include "gateway/file_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/mapped_file.h"
#include "base/sha256.h"

namespace alcove::gateway {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> failed(const fs::path& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return fail(ErrorKind::Unavailable,
              fmt::format("{} cannot be written: {}; {}", path.string(), std::strerror(error),
                          full ? "make room on its disk" : "check that this user may write its folder"),
              full ? "disk_full" : "database_read_only");
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  bool open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// So that a name that was made is still there after a loss of power.
Result<void> sync_folder(const fs::path& folder) {
  const File handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle.open() || ::fsync(handle.get()) != 0) return failed(folder, errno);
  return {};
}

Result<void> make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0) {
    if (errno == EEXIST) return {};
    if (errno != ENOENT) return failed(folder, errno);
    TRY(make_folder(folder.parent_path()));
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed(folder, errno);
  }
  return sync_folder(folder.parent_path());
}

Result<void> write_whole(const fs::path& path, Bytes content) {
  const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.open()) return failed(path, errno);
  while (!content.empty()) {
    const auto written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed(path, written < 0 ? errno : ENOSPC);
    content = content.subspan(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0) return failed(path, errno);
  return {};
}

}  // namespace

fs::path FileStore::path_of(const std::string& sha256) const {
  // A draft that was never finished lies beside what it was to be.
  return folder_ / sha256.substr(sha256.starts_with('.') ? 1 : 0, 2) / sha256;
}

bool FileStore::has(const std::string& sha256) const {
  std::error_code unreadable;
  return fs::exists(path_of(sha256), unreadable);
}

void FileStore::remove(const std::string& sha256) const {
  std::error_code gone_already;
  fs::remove(path_of(sha256), gone_already);
}

std::vector<std::string> FileStore::older_than(std::chrono::seconds age) const {
  const auto since = fs::file_time_type::clock::now() - age;
  std::vector<std::string> names;
  std::error_code unreadable;
  for (fs::recursive_directory_iterator entry(folder_, unreadable), end; !unreadable && entry != end;
       entry.increment(unreadable)) {
    std::error_code gone;
    if (entry->is_regular_file(gone) && entry->last_write_time(gone) < since && !gone)
      names.push_back(entry->path().filename().string());
  }
  return names;
}

Result<void> FileStore::put(const std::string& sha256, Bytes content) const {
  const auto path = path_of(sha256);
  std::error_code absent;
  if (fs::file_size(path, absent) == content.size() && !absent) return sync_folder(path.parent_path());
  TRY(make_folder(path.parent_path()));
  static std::atomic<std::uint64_t> count{0};
  const auto draft = path.parent_path() / fmt::format(".{}-{}-{}", sha256, ::getpid(), ++count);
  auto written = write_whole(draft, content);
  if (written && ::rename(draft.c_str(), path.c_str()) != 0) written = failed(path, errno);
  if (!written) {
    ::unlink(draft.c_str());
    return written;
  }
  return sync_folder(path.parent_path());
}

Result<std::string> FileStore::get(const std::string& sha256) const {
  const auto file = TRY(MappedFile::open(path_of(sha256)));
  std::string content(as_text(file.bytes()));
  if (sha256_hex(as_bytes(content)) != sha256)
    return fail(
        ErrorKind::Unreadable,
        fmt::format("{} is no longer what was handed in; its disk may be failing", file.path().string()),
        "damaged_file");
  return content;
}

}  // namespace alcove::gateway
