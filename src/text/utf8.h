#pragma once
// UTF-8 to code points and back.

#include <string>
#include <string_view>

namespace alcove::text {

inline constexpr char32_t kReplacement = 0xFFFD;

// The character that starts at `at`, which moves past it. Bytes that are not UTF-8 (overlong forms,
// surrogates and cut sequences too) are read as U+FFFD, one for each part that could not go on. `at` is
// inside the text.
char32_t read_character(std::string_view text, std::size_t& at);

void append_character(std::string& text, char32_t character);

}  // namespace alcove::text
