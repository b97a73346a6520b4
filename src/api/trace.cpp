#include "api/trace.h"

#include <algorithm>

namespace alcove::api {
namespace {

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool is_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

// version "-" trace-id "-" parent-id "-" flags; a later version may append more after another "-".
Trace parse_traceparent(std::string_view header) {
  constexpr std::size_t kLength = 55;
  if (header.size() < kLength || header[2] != '-' || header[35] != '-' || header[52] != '-') return {};
  const auto version = header.substr(0, 2), id = header.substr(3, 32), parent = header.substr(36, 16);
  if (!is_hex(version) || !is_hex(id) || !is_hex(parent) || !is_hex(header.substr(53, 2))) return {};
  if (version == "ff" || is_zero(id) || is_zero(parent)) return {};
  if (header.size() > kLength && (version == "00" || header[kLength] != '-')) return {};
  return {std::string(id), std::string(parent)};
}

}  // namespace alcove::api
