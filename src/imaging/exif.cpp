#include "imaging/exif.h"

namespace alcove::imaging {

namespace {

constexpr std::uint16_t kOrientationTag = 0x0112;
constexpr std::uint16_t kShort = 3;
constexpr std::size_t kEntryBytes = 12;

template <class T>
Result<T> number(ByteReader& in, bool big) {
  return big ? in.big_endian<T>() : in.little_endian<T>();
}

Result<int> find_orientation(Bytes exif) {
  ByteReader header(exif);
  const auto order = as_text(TRY(header.take(2)));
  const bool big = order == "MM";
  if (!big && order != "II") return 1;
  if (TRY(number<std::uint16_t>(header, big)) != 42) return 1;
  const auto offset = TRY(number<std::uint32_t>(header, big));
  if (offset > exif.size()) return 1;

  ByteReader directory(exif.subspan(offset));
  const auto entries = TRY(number<std::uint16_t>(directory, big));
  for (int i = 0; i < entries; ++i) {
    ByteReader entry(TRY(directory.take(kEntryBytes)));
    if (TRY(number<std::uint16_t>(entry, big)) != kOrientationTag) continue;
    if (TRY(number<std::uint16_t>(entry, big)) != kShort) return 1;
    TRY(entry.take(4));  // how many; there is only ever one
    return TRY(number<std::uint16_t>(entry, big));
  }
  return 1;
}

}  // namespace

int exif_orientation(Bytes exif) {
  const int orientation = find_orientation(exif).value_or(1);
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

}  // namespace alcove::imaging
