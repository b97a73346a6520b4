#pragma once
// The program's version; CMakeLists.txt holds the number.

#include <string_view>

namespace alcove {

inline constexpr std::string_view kVersion = ALCOVE_VERSION;

}  // namespace alcove
