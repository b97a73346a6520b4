#pragma once
// A ZIP archive written from front to back, without a disk and without more than one file in memory. Nothing
// is compressed: what goes in are PDFs and pictures, which are already.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace alcove {

class ZipWriter {
 public:
  // Takes the next piece; false: whoever wanted the archive has gone.
  using Sink = std::function<bool(std::string_view piece)>;
  explicit ZipWriter(Sink sink) : sink_(std::move(sink)) {}

  // `name` is UTF-8 with / between folders. TooLarge over 65,535 files or 4 GiB, the format's limits;
  // Unavailable ("gone") when the sink takes no more.
  Result<void> add(const std::string& name, Bytes content);
  // To be called once, at the end: without it the archive is none.
  Result<void> finish();

 private:
  struct Entry {
    std::string name;
    std::uint32_t checksum = 0, size = 0, offset = 0;
  };
  Result<void> put(std::string_view piece);

  const Sink sink_;
  std::vector<Entry> entries_;
  std::uint64_t written_ = 0;
};

}  // namespace alcove
