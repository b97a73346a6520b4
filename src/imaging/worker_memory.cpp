#include "imaging/worker_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace alcove::imaging {

Result<Descriptor> share_file(Bytes file) {
  const auto no_memory = [] {
    return fail(ErrorKind::Unavailable, "there is no memory left to open a page in; try again in a moment");
  };
  Descriptor memory(::memfd_create("alcove-file", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) return no_memory();
  while (!file.empty()) {
    const auto count = ::write(memory.number(), file.data(), file.size());
    if (count < 0 && errno != EINTR) return no_memory();
    if (count > 0) file = file.subspan(static_cast<std::size_t>(count));
  }
  if (::fcntl(memory.number(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return no_memory();
  return memory;
}

SharedFile::SharedFile(const Descriptor& memory, std::uint64_t size) : data_(nullptr), size_(size) {
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, memory.number(), 0);
  if (data != MAP_FAILED) data_ = static_cast<const std::uint8_t*>(data);
}

SharedFile::~SharedFile() {
  if (data_) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

Fetched fetch(pid_t process, std::uint64_t address, std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const iovec to{out.data(), out.size()};
    const iovec from{reinterpret_cast<void*>(address), out.size()};
    const auto count = ::process_vm_readv(process, &to, 1, &from, 1, 0);
    if (count < 0 && (errno == EPERM || errno == ENOSYS)) return Fetched::Forbidden;
    if (count <= 0) return Fetched::NotThere;
    out = out.subspan(static_cast<std::size_t>(count));
    address += static_cast<std::uint64_t>(count);
  }
  return Fetched::All;
}

}  // namespace alcove::imaging
