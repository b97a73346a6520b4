#pragma once
// A file as bytes without reading it: weights of hundreds of megabytes cost only the pages that are touched.

#include <cstddef>
#include <filesystem>

#include "base/bytes.h"

namespace alcove {

// Read-only mapping of a regular file; movable, unmapped when it goes. A file that another program shortens
// while it is mapped would end this one with SIGBUS: model folders are ours to write, uploads are never
// mapped.
class MappedFile {
 public:
  // NotFound when there is no such file, BadInput when it is a folder or device, Unreadable when it is empty.
  static Result<MappedFile> open(const std::filesystem::path& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  Bytes bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  MappedFile(std::filesystem::path path, const std::uint8_t* data, std::size_t size);

  std::filesystem::path path_;
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace alcove
