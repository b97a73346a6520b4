#include "weights/pickle_text.h"

#include <charconv>

namespace alcove::weights {
namespace {

template <class T>
std::optional<T> whole(std::string_view text, auto... how) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, how...);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void append_utf8(std::string& text, std::uint32_t point) {
  if (point < 0x80) {
    text += static_cast<char>(point);
    return;
  }
  const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  constexpr std::uint32_t kLead[] = {0, 0xc0, 0xe0, 0xf0};
  text += static_cast<char>(kLead[more] | point >> (6 * more));
  for (int rest = more; rest-- > 0;) text += static_cast<char>(0x80 | (point >> (6 * rest) & 0x3f));
}

constexpr std::string_view kEscaped = "\\'\"nrt0";
constexpr std::string_view kMeaning{"\\'\"\n\r\t\0", 7};

}  // namespace

std::optional<std::int64_t> read_decimal(std::string_view text) { return whole<std::int64_t>(text); }
std::optional<double> read_float(std::string_view text) { return whole<double>(text); }

std::optional<std::string> unquote(std::string_view text) {
  if (text.size() < 2 || (text.front() != '\'' && text.front() != '"') || text.back() != text.front())
    return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      plain += text[at];
      continue;
    }
    if (++at == text.size()) return std::nullopt;
    if (const auto escape = kEscaped.find(text[at]); escape != std::string_view::npos) {
      plain += kMeaning[escape];
    } else if (text[at] == 'x' && at + 2 < text.size()) {
      const auto byte = whole<std::uint8_t>(text.substr(at + 1, 2), 16);
      if (!byte) return std::nullopt;
      plain += static_cast<char>(*byte);
      at += 2;
    } else {
      return std::nullopt;
    }
  }
  return plain;
}

std::optional<std::string> unescape_unicode(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    const auto mark = at + 1 < text.size() && text[at] == '\\' ? text[at + 1] : '\0';
    const std::size_t digits = mark == 'u' ? 4 : mark == 'U' ? 8 : 0;
    if (digits == 0) {
      // Raw bytes of this escape are Latin-1.
      append_utf8(plain, static_cast<unsigned char>(text[at++]));
      continue;
    }
    if (text.size() - at < 2 + digits) return std::nullopt;
    const auto point = whole<std::uint32_t>(text.substr(at + 2, digits), 16);
    if (!point || *point > 0x10ffff) return std::nullopt;
    append_utf8(plain, *point);
    at += 2 + digits;
  }
  return plain;
}

}  // namespace alcove::weights
