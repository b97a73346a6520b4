#pragma once
// Base64 as clients send images in it.

#include <string>
#include <string_view>

#include "base/result.h"

namespace alcove {

// Either alphabet (+/ or -_), with or without `=`, white space ignored, a space standing for the + that a
// query string turned into one. BadInput, naming the position, for anything else.
Result<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

}  // namespace alcove
