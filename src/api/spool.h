#pragma once
// The body of a request on the disk while it arrives, and as bytes once it is whole: a hundred uploads at
// once cost a hundred file handles, not half a gigabyte.

#include <filesystem>
#include <memory>

#include "base/bytes.h"

namespace alcove::api {

// Used by one thread until it is whole, then safe from any.
class Spool {
 public:
  // In a file without a name, which is gone with this object, however the program ends. Unavailable, with the
  // reason, when the folder takes none.
  static Result<std::unique_ptr<Spool>> open(const std::filesystem::path& folder);
  ~Spool();
  Spool(const Spool&) = delete;

  Result<void> add(Bytes piece);  // Unavailable ("disk_full") when it does not fit
  Result<void> finish();          // after the last piece, once
  Bytes content() const { return {data_, size_}; }

 private:
  explicit Spool(int file) : file_(file) {}
  int file_;
  std::size_t size_ = 0;
  const std::uint8_t* data_ = nullptr;
};

}  // namespace alcove::api
