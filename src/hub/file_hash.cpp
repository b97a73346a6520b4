#include "hub/file_hash.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "base/sha256.h"

namespace alcove::hub {
namespace {

struct Open {
  int file;
  explicit Open(const std::filesystem::path& path) : file(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;
  ~Open() {
    if (file >= 0) ::close(file);
  }
};

}  // namespace

Result<FileHash> hash_file(const std::filesystem::path& path, Hashes which,
                           const std::function<void(std::uint64_t)>& progress) {
  const Open opened(path);
  struct stat status{};
  if (opened.file < 0 || ::fstat(opened.file, &status) != 0 || !S_ISREG(status.st_mode))
    return fail(ErrorKind::NotFound, fmt::format("{} cannot be read, or is no file", path.string()));
  ::posix_fadvise(opened.file, 0, 0, POSIX_FADV_SEQUENTIAL);
  FileHash hash{.size = static_cast<std::uint64_t>(status.st_size)};
  Sha256 sha256;
  Sha1 sha1;
  Digest& digest = which == Hashes::Sha256 ? static_cast<Digest&>(sha256) : sha1;
  if (which == Hashes::GitSha1) digest.add(as_bytes(fmt::format("blob {}", hash.size) + '\0'));
  std::vector<std::uint8_t> buffer(1 << 20);
  std::uint64_t done = 0;
  while (true) {
    const auto count = ::read(opened.file, buffer.data(), buffer.size());
    if (count < 0) return fail(ErrorKind::Unreadable, fmt::format("{} cannot be read", path.string()));
    if (count == 0) break;
    digest.add(Bytes(buffer).first(static_cast<std::size_t>(count)));
    done += static_cast<std::uint64_t>(count);
    if (progress) progress(done);
  }
  if (done != hash.size)
    return fail(
        ErrorKind::Unreadable,
        fmt::format("{} changes while it is read; try again when nobody writes to it", path.string()));
  (which == Hashes::Sha256 ? hash.sha256 : hash.git_sha1) = digest.hex();
  return hash;
}

}  // namespace alcove::hub
