#pragma once
// A zip archive of stored entries as views into its bytes, zip64 included. Every offset and size is checked
// when the archive is opened; nothing is copied and nothing is inflated.

#include <map>
#include <string_view>

#include "base/bytes.h"

namespace alcove::weights {

struct ZipEntry {
  std::string_view name;     // borrows from the archive's bytes, like `data`
  Bytes data;                // as it lies in the archive
  std::uint64_t header = 0;  // where its local header begins in the archive
  std::uint32_t checksum = 0;
  bool stored = false;  // not deflated, so that `data` is the content
};

class ZipDirectory {
 public:
  // `bytes` has to outlive the directory. Unreadable with code "truncated" when the end with the directory is
  // missing; with code "damaged" when the directory and what it points at disagree, entries overlap or share
  // a name, are encrypted, or lie outside the archive.
  static Result<ZipDirectory> open(Bytes bytes);

  const std::map<std::string_view, ZipEntry>& entries() const { return entries_; }

  // The content of a stored entry. NotFound; Unreadable when it is deflated ("not_weights") or its
  // checksum differs ("damaged"). A checksum of 0 is not compared: torch can be told to leave them out.
  Result<Bytes> read(std::string_view name) const;

 private:
  std::map<std::string_view, ZipEntry> entries_;
};

}  // namespace alcove::weights
