#pragma once
// How bytes get to a worker and back, without either side copying more than once.

#include <sys/types.h>

#include "base/bytes.h"
#include "imaging/descriptors.h"

namespace alcove::imaging {

// Memory with the file in it that nobody can change any more. Unavailable when there is none left.
Result<Descriptor> share_file(Bytes file);

// The worker's view of it, of `size` > 0 bytes.
class SharedFile {
 public:
  SharedFile(const Descriptor& memory, std::uint64_t size);
  ~SharedFile();
  SharedFile(const SharedFile&) = delete;
  SharedFile& operator=(const SharedFile&) = delete;

  explicit operator bool() const { return data_ != nullptr; }
  Bytes bytes() const { return {data_, size_}; }

 private:
  const std::uint8_t* data_;
  std::uint64_t size_;
};

// Fills `out` from the memory of a process of ours, whatever address that process named.
enum class Fetched { All, NotThere, Forbidden };  // Forbidden: this host does not let us look
Fetched fetch(pid_t process, std::uint64_t address, std::span<std::uint8_t> out);

}  // namespace alcove::imaging
