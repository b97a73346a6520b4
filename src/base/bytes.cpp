#include "base/bytes.h"

#include <fmt/format.h>

namespace alcove {

Result<std::string_view> ByteReader::until(char end) {
  const auto rest = as_text(bytes_.subspan(position_));
  const auto length = rest.find(end);
  if (length == std::string_view::npos) return past_end(remaining() + 1);
  position_ += length + 1;
  return rest.substr(0, length);
}

std::unexpected<Error> ByteReader::past_end(std::size_t wanted) const {
  return fail(ErrorKind::Unreadable,
              fmt::format("the data ends at byte {}, where {} more were expected after byte {}",
                          bytes_.size(), wanted, position_));
}

}  // namespace alcove
