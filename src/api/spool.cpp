#include "api/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace alcove::api {
namespace {

std::unexpected<Error> failed(int error) {
  return fail(ErrorKind::Unavailable,
              fmt::format("the upload cannot be kept: {}; try again in a moment", std::strerror(error)),
              "disk_full");
}

}  // namespace

Result<std::unique_ptr<Spool>> Spool::open(const std::filesystem::path& folder) {
  auto name = (folder / "body-XXXXXX").string();
  const int file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) return failed(errno);
  ::unlink(name.c_str());
  return std::unique_ptr<Spool>(new Spool(file));
}

Spool::~Spool() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
  ::close(file_);
}

Result<void> Spool::add(Bytes piece) {
  while (!piece.empty()) {
    const auto written = ::write(file_, piece.data(), piece.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed(written < 0 ? errno : ENOSPC);
    size_ += static_cast<std::size_t>(written);
    piece = piece.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> Spool::finish() {
  if (size_ == 0) return {};
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file_, 0);
  if (mapped == MAP_FAILED) return failed(errno);
  data_ = static_cast<const std::uint8_t*>(mapped);
  return {};
}

}  // namespace alcove::api
