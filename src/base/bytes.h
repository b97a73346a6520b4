#pragma once
// Bytes that came from outside, and a reader that cannot pass their end.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/result.h"

namespace alcove {

using Bytes = std::span<const std::uint8_t>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads forward through borrowed bytes. Every call checks first; a failed call moves nothing.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }
  bool at_end() const { return remaining() == 0; }

  Result<Bytes> take(std::size_t count) {
    if (count > remaining()) return past_end(count);
    auto taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }

  // An integer or float stored least significant byte first, as every machine we run on keeps it.
  template <class T>
  Result<T> little_endian() {
    static_assert(std::is_arithmetic_v<T>);
    if (sizeof(T) > remaining()) return past_end(sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }

  template <class T>
  Result<T> big_endian() {
    static_assert(std::is_integral_v<T> && std::is_unsigned_v<T>);
    if (sizeof(T) > remaining()) return past_end(sizeof(T));
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value << 8 | bytes_[position_ + i]);
    position_ += sizeof(T);
    return value;
  }

  // The text up to `end`, which is consumed and left out.
  Result<std::string_view> until(char end);

 private:
  std::unexpected<Error> past_end(std::size_t wanted) const;

  Bytes bytes_;
  std::size_t position_ = 0;
};

}  // namespace alcove
