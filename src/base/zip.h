#pragma once
// ZIP archives from strangers, read entry by entry. Nothing is ever written to a disk.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace alcove {

class ZipArchive {
 public:
  struct Entry {
    std::string name;         // UTF-8 as far as the archive says what it is
    std::uint64_t size = 0;   // inflated, as the directory claims
    std::uint64_t index = 0;  // of read()
    bool encrypted = false;
  };

  static bool recognises(Bytes bytes);

  // `bytes` has to outlive the archive. Unreadable ("damaged_zip") when it is none; TooLarge
  // ("too_many_files") for more than `most` entries, folders included.
  static Result<ZipArchive> open(Bytes bytes, std::size_t most);

  const std::vector<Entry>& entries() const { return entries_; }  // without folders, in the archive's order

  // The content, its checksum compared. TooLarge ("file_too_large") when the directory claims more than
  // `limit` bytes; Unreadable, "encrypted_entry" or "damaged_zip", which is also what holds more than it
  // claims. Safe from any thread, one at a time.
  Result<std::string> read(const Entry& entry, std::uint64_t limit) const;

  // Whether a name would lead out of the folder it is unpacked into, or cannot be a file's.
  static bool leads_astray(std::string_view name);

 private:
  struct Handle;
  explicit ZipArchive(std::shared_ptr<Handle> handle) : handle_(std::move(handle)) {}

  std::shared_ptr<Handle> handle_;
  std::vector<Entry> entries_;
};

}  // namespace alcove
