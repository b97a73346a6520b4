#pragma once
// multipart/form-data, as RFC 7578 and real clients write it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace alcove::api {

struct Part {
  std::string name;
  std::optional<std::string> file_name;  // present, perhaps empty, when the part was sent as a file
  Bytes content;                         // lies in the body that was parsed
};

// Parts in order, at most `most`. BadInput when the boundary is missing from `content_type` or the body does
// not keep to it: no first boundary, a part without its header's end or name, no closing boundary.
Result<std::vector<Part>> parse_multipart(std::string_view content_type, Bytes body, std::size_t most = 64);

}  // namespace alcove::api
