#include "net/message.h"

#include <algorithm>

namespace alcove::net {

std::optional<std::string_view> Reply::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &Header::name);
  if (found == headers.end()) return std::nullopt;
  return found->value;
}

}  // namespace alcove::net
