#include "base/json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace alcove {
namespace {

// The parser itself is iterative, but destroying or walking a deep value is not.
constexpr int kMaxDepth = 256;

}  // namespace

Result<Json> parse_json(std::string_view text) {
  bool too_deep = false;
  const Json::parser_callback_t limit = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  try {
    auto value = Json::parse(text, limit);
    if (too_deep)
      return fail(ErrorKind::Unreadable, fmt::format("JSON nested deeper than {} levels", kMaxDepth));
    return value;
  } catch (const Json::parse_error& error) {
    return fail(ErrorKind::Unreadable, fmt::format("not valid JSON at byte {}", error.byte));
  } catch (const Json::exception& error) {
    return fail(ErrorKind::Unreadable, fmt::format("not usable as JSON ({})", error.what()));
  }
}

std::string to_text(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace alcove
