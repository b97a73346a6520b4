#pragma once
// Numbers and strings as protocol 0 spells them: printable text, one to a line.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace alcove::weights {

// Nothing when the text is not a number, or not one of 64 bits.
std::optional<std::int64_t> read_decimal(std::string_view text);
std::optional<double> read_float(std::string_view text);

// What Python's repr of a byte string stands for: 'it\'s\n' with its quotes. Nothing when they are missing.
std::optional<std::string> unquote(std::string_view text);

// Text in which \uXXXX and \UXXXXXXXX stand for code points and every other byte for itself, as UTF-8.
std::optional<std::string> unescape_unicode(std::string_view text);

}  // namespace alcove::weights
