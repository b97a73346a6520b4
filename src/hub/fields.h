#pragma once
// Fields of JSON that a server sent: nothing about their types is taken for granted.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/json.h"

namespace alcove::hub {

// The member, or null where there is none or `object` is no object.
inline const Json& member(const Json& object, const char* key) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}
inline std::string text_or(const Json& object, const char* key, std::string fallback = {}) {
  const auto& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : fallback;
}
inline bool flag_or(const Json& object, const char* key, bool fallback) {
  const auto& value = member(object, key);
  return value.is_boolean() ? value.get<bool>() : fallback;
}
inline double number_or(const Json& object, const char* key, double fallback) {
  const auto& value = member(object, key);
  return value.is_number() ? value.get<double>() : fallback;
}
// A count of bytes; 0 for what is none.
inline std::uint64_t size_or_zero(const Json& object, const char* key) {
  const auto& value = member(object, key);
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

}  // namespace alcove::hub
