#include "base/zip_writer.h"

#include <array>
#include <limits>

namespace alcove {
namespace {

constexpr std::uint64_t kMostBytes = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kMostFiles = 65'535;

// CRC-32 as ZIP has it (APPNOTE 4.4.7): reflected, polynomial 0xEDB88320.
constexpr auto kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? 0xEDB88320U ^ (value >> 1) : value >> 1;
    table[i] = value;
  }
  return table;
}();

std::uint32_t checksum_of(Bytes bytes) {
  std::uint32_t value = ~0U;
  for (const auto byte : bytes)
    value = kTable[(value ^ static_cast<std::uint8_t>(byte)) & 0xFF] ^ (value >> 8);
  return ~value;
}

void add16(std::string& text, std::uint32_t value) {
  text += static_cast<char>(value & 0xFF);
  text += static_cast<char>(value >> 8 & 0xFF);
}

void add32(std::string& text, std::uint32_t value) {
  add16(text, value & 0xFFFF);
  add16(text, value >> 16);
}

// What the local header and the directory say alike: version 2.0, names in UTF-8, stored, 1 January 1980.
std::string shared_part(std::uint32_t checksum, std::uint32_t size, std::size_t name) {
  std::string text;
  add16(text, 20);
  add16(text, 1 << 11);
  add16(text, 0);
  add16(text, 0);
  add16(text, 0x21);
  add32(text, checksum);
  add32(text, size);
  add32(text, size);
  add16(text, static_cast<std::uint32_t>(name));
  add16(text, 0);
  return text;
}

}  // namespace

Result<void> ZipWriter::put(std::string_view piece) {
  if (!sink_(piece)) return fail(ErrorKind::Unavailable, "whoever wanted the archive has gone", "gone");
  written_ += piece.size();
  return {};
}

Result<void> ZipWriter::add(const std::string& name, Bytes content) {
  if (entries_.size() == kMostFiles || written_ + content.size() + 2 * name.size() + 200 > kMostBytes)
    return fail(ErrorKind::TooLarge,
                "an archive holds 65,535 files and 4 GB; take out one exam after the other");
  const Entry entry{name, checksum_of(content), static_cast<std::uint32_t>(content.size()),
                    static_cast<std::uint32_t>(written_)};
  TRY(put("PK\x03\x04" + shared_part(entry.checksum, entry.size, name.size()) + name));
  TRY(put(as_text(content)));
  entries_.push_back(entry);
  return {};
}

Result<void> ZipWriter::finish() {
  const auto start = written_;
  for (const auto& entry : entries_) {
    std::string row = "PK\x01\x02";
    add16(row, 20);
    row += shared_part(entry.checksum, entry.size, entry.name.size());
    add16(row, 0);  // no comment, first disk, no attributes
    add16(row, 0);
    add16(row, 0);
    add32(row, 0);
    add32(row, entry.offset);
    TRY(put(row + entry.name));
  }
  std::string end = "PK\x05\x06";
  add32(end, 0);
  add16(end, static_cast<std::uint32_t>(entries_.size()));
  add16(end, static_cast<std::uint32_t>(entries_.size()));
  add32(end, static_cast<std::uint32_t>(written_ - start));
  add32(end, static_cast<std::uint32_t>(start));
  add16(end, 0);
  return put(end);
}

}  // namespace alcove
