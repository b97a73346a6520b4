#include "weights/zip_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "weights/crc32.h"
#include "weights/refusal.h"

namespace alcove::weights {
namespace {

// Names as in APPNOTE.TXT, the format's description.
constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocator64Signature = 0x07064b50;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kLocator64Bytes = 20;
constexpr std::uint16_t kZip64Extra = 0x0001;
constexpr std::uint16_t kEncrypted = 1U << 0;
constexpr std::uint16_t kSizesFollowData = 1U << 3;
constexpr std::uint16_t kStored = 0;
constexpr std::uint32_t kElsewhere = 0xffffffff;  // the value is in the zip64 extra field

std::unexpected<Error> broken(const std::string& why) {
  return damaged("the zip archive is damaged: " + why);
}

struct Central {
  std::uint64_t entries = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
};

// What one entry says of itself, in the directory or before its data.
struct Header {
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t checksum = 0;
  std::uint64_t packed = 0;
  std::uint64_t size = 0;
  std::uint64_t local = 0;  // offset of the local header; only the directory has it
  std::string_view name;
};

// The end record lies last, before a comment of up to 65,535 bytes whose length it states.
std::optional<std::size_t> find_end(Bytes bytes) {
  if (bytes.size() < kEndBytes) return std::nullopt;
  const auto last = bytes.size() - kEndBytes;
  const auto first = last - std::min<std::size_t>(last, 0xffff);
  for (auto at = last + 1; at-- > first;) {
    if (bytes[at] != 'P') continue;
    ByteReader in(bytes.subspan(at));
    if (*in.little_endian<std::uint32_t>() != kEndSignature) continue;
    ByteReader comment(bytes.subspan(at + kEndBytes - 2));
    if (*comment.little_endian<std::uint16_t>() == bytes.size() - at - kEndBytes) return at;
  }
  return std::nullopt;
}

// The zip64 record that stands in for an end record whose fields are too narrow.
Result<std::optional<Central>> read_end64(Bytes bytes, std::size_t end) {
  if (end < kLocator64Bytes) return std::nullopt;
  ByteReader locator(bytes.subspan(end - kLocator64Bytes));
  if (TRY(locator.little_endian<std::uint32_t>()) != kLocator64Signature) return std::nullopt;
  TRY(locator.take(4));
  const auto offset = TRY(locator.little_endian<std::uint64_t>());
  if (offset > end - kLocator64Bytes) return broken("its zip64 record lies outside");
  ByteReader in(bytes.subspan(offset, end - kLocator64Bytes - offset));
  if (TRY(in.little_endian<std::uint32_t>()) != kEnd64Signature) return broken("its zip64 record is missing");
  TRY(in.take(8 + 2 + 2 + 4 + 4 + 8));
  Central central;
  central.entries = TRY(in.little_endian<std::uint64_t>());
  central.size = TRY(in.little_endian<std::uint64_t>());
  central.offset = TRY(in.little_endian<std::uint64_t>());
  return central;
}

Result<Central> read_end(Bytes bytes, std::size_t end) {
  ByteReader in(bytes.subspan(end + 4));
  const auto disk = TRY(in.little_endian<std::uint32_t>());
  TRY(in.take(2));
  const auto entries = TRY(in.little_endian<std::uint16_t>());
  const auto size = TRY(in.little_endian<std::uint32_t>());
  const auto offset = TRY(in.little_endian<std::uint32_t>());
  Central central{entries, size, offset};
  if (const auto wide = TRY(read_end64(bytes, end))) {
    const bool agrees = (entries == 0xffff || entries == wide->entries) &&
                        (size == kElsewhere || size == wide->size) &&
                        (offset == kElsewhere || offset == wide->offset);
    if (!agrees) return broken("its two end records differ");
    central = *wide;
  }
  if (disk != 0 && disk != kElsewhere) return broken("it is one of several parts");
  if (central.offset > end || central.size > end - central.offset)
    return broken("its directory lies outside the file");
  return central;
}

// The fields that are kElsewhere take their values from the extra field, in this order.
Result<void> widen(Bytes extra, std::initializer_list<std::uint64_t*> fields) {
  ByteReader in(extra);
  Bytes wide;
  // Padding of fewer bytes than a field's head is allowed at the end.
  while (in.remaining() >= 4) {
    const auto id = TRY(in.little_endian<std::uint16_t>());
    const auto length = TRY(in.little_endian<std::uint16_t>());
    const auto content = TRY(in.take(length));
    if (id == kZip64Extra) wide = content;
  }
  ByteReader values(wide);
  for (auto* field : fields)
    if (*field == kElsewhere) *field = TRY(values.little_endian<std::uint64_t>());
  return {};
}

struct Lengths {
  std::uint16_t name = 0, extra = 0;
};

// What an entry's head holds in the directory and before its content alike.
Result<Lengths> read_common(ByteReader& in, Header& header) {
  header.flags = TRY(in.little_endian<std::uint16_t>());
  header.method = TRY(in.little_endian<std::uint16_t>());
  TRY(in.take(4));
  header.checksum = TRY(in.little_endian<std::uint32_t>());
  header.packed = TRY(in.little_endian<std::uint32_t>());
  header.size = TRY(in.little_endian<std::uint32_t>());
  Lengths lengths;
  lengths.name = TRY(in.little_endian<std::uint16_t>());
  lengths.extra = TRY(in.little_endian<std::uint16_t>());
  return lengths;
}

Result<Header> read_central(ByteReader& in) {
  if (TRY(in.little_endian<std::uint32_t>()) != kCentralSignature) return broken("its directory is broken");
  Header header;
  TRY(in.take(4));
  const auto lengths = TRY(read_common(in, header));
  const auto comment_bytes = TRY(in.little_endian<std::uint16_t>());
  TRY(in.take(8));
  header.local = TRY(in.little_endian<std::uint32_t>());
  header.name = as_text(TRY(in.take(lengths.name)));
  const auto extra = TRY(in.take(lengths.extra));
  TRY(widen(extra, {&header.size, &header.packed, &header.local}));
  TRY(in.take(comment_bytes));
  return header;
}

Result<Header> read_local(ByteReader& in) {
  if (TRY(in.little_endian<std::uint32_t>()) != kLocalSignature)
    return broken("an entry does not lie where the directory says");
  Header header;
  TRY(in.take(2));
  const auto lengths = TRY(read_common(in, header));
  header.name = as_text(TRY(in.take(lengths.name)));
  const auto extra = TRY(in.take(lengths.extra));
  TRY(widen(extra, {&header.size, &header.packed}));
  return header;
}

// `before` is the part of the archive that lies before its directory.
Result<ZipEntry> open_entry(Bytes before, const Header& central) {
  if (central.local > before.size()) return broken("an entry lies outside the file");
  ByteReader in(before.subspan(central.local));
  const auto local = TRY(read_local(in));
  // Written in one go, an entry states its sizes behind its data and zeroes here.
  const bool later = (local.flags & kSizesFollowData) != 0 && local.packed == 0 && local.size == 0;
  const bool same_sizes = later || (local.packed == central.packed && local.size == central.size);
  if (local.name != central.name || local.method != central.method || !same_sizes)
    return broken("an entry and the directory differ");
  if (((central.flags | local.flags) & kEncrypted) != 0) return broken("an entry is encrypted");
  if (central.method == kStored && central.packed != central.size)
    return broken("a stored entry states two sizes");
  if (central.packed > in.remaining()) return broken("an entry is longer than the file");
  return ZipEntry{central.name, TRY(in.take(central.packed)), central.local, central.checksum,
                  central.method == kStored};
}

Result<void> check_apart(const std::map<std::string_view, ZipEntry>& entries, Bytes file) {
  std::vector<const ZipEntry*> in_order;
  for (const auto& [name, entry] : entries) in_order.push_back(&entry);
  std::ranges::sort(in_order, {}, &ZipEntry::header);
  std::uint64_t end = 0;
  for (const auto* entry : in_order) {
    if (entry->header < end) return broken(fmt::format("its entry \"{}\" overlaps another", entry->name));
    end = static_cast<std::uint64_t>(entry->data.data() - file.data()) + entry->data.size();
  }
  return {};
}

Result<std::map<std::string_view, ZipEntry>> read_entries(Bytes bytes, const Central& central) {
  const auto before = bytes.first(central.offset);
  ByteReader in(bytes.subspan(central.offset, central.size));
  std::map<std::string_view, ZipEntry> entries;
  while (!in.at_end()) {
    const auto header = TRY(read_central(in));
    const auto entry = TRY(open_entry(before, header));
    if (!entries.emplace(entry.name, entry).second)
      return broken(fmt::format("it has two entries \"{}\"", entry.name));
  }
  if (entries.size() != central.entries)
    return broken(
        fmt::format("its directory holds {} entries and claims {}", entries.size(), central.entries));
  TRY(check_apart(entries, bytes));
  return entries;
}

Result<std::map<std::string_view, ZipEntry>> read_all(Bytes bytes, std::size_t end) {
  return read_entries(bytes, TRY(read_end(bytes, end)));
}

}  // namespace

Result<ZipDirectory> ZipDirectory::open(Bytes bytes) {
  const auto end = find_end(bytes);
  if (!end)
    return truncated(
        fmt::format("the zip archive is cut short: its last part, the directory, is missing after {} "
                    "bytes",
                    bytes.size()));
  auto entries = read_all(bytes, *end);
  if (!entries) {
    // What the byte reader itself says, that a field would pass the end, has no code.
    if (entries.error().code.empty()) return broken("one of its records is cut");
    return std::unexpected(std::move(entries).error());
  }
  ZipDirectory directory;
  directory.entries_ = *std::move(entries);
  return directory;
}

Result<Bytes> ZipDirectory::read(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end())
    return fail(ErrorKind::NotFound, fmt::format("the zip archive has no entry \"{}\"", name));
  const auto& entry = found->second;
  if (!entry.stored)
    return not_weights(
        fmt::format("the zip entry \"{}\" is compressed, which torch.save never does; unpack the archive and "
                    "pack it again with `zip -0 -r`, or save the weights again with torch.save",
                    name));
  if (entry.checksum != 0 && entry.checksum != crc32(entry.data))
    return broken(
        fmt::format("the content of \"{}\" has changed since it was written (its checksum differs)", name));
  return entry.data;
}

}  // namespace alcove::weights
