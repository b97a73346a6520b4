#include "text/fold.h"

#include <utf8proc.h>

#include <array>
#include <cstdint>

namespace alcove::text {
namespace {

// Letters that Unicode takes for letters of their own, as people without them on the keyboard type them.
struct Plain {
  std::int32_t letter;
  std::string_view typed;
};
constexpr std::array kPlain{
    Plain{0xE6, "ae"}, Plain{0xF0, "d"},  Plain{0xF8, "o"},  Plain{0xFE, "th"},  Plain{0x111, "d"},
    Plain{0x127, "h"}, Plain{0x131, "i"}, Plain{0x142, "l"}, Plain{0x153, "oe"},
};

// Calls `use` with every code point, U+FFFD for a byte that begins none.
template <class Use>
void each_code_point(std::string_view utf8, Use use) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(utf8.data());
  for (std::size_t at = 0; at < utf8.size();) {
    utf8proc_int32_t point = -1;
    const auto taken = utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(utf8.size() - at), &point);
    use(taken > 0 ? point : 0xFFFD);
    at += taken > 0 ? static_cast<std::size_t>(taken) : 1;
  }
}

void append(std::string& text, std::int32_t point) {
  std::array<utf8proc_uint8_t, 4> bytes;
  const auto count = utf8proc_encode_char(point, bytes.data());
  text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(count));
}

std::string mapped(std::string_view utf8, int options) {
  std::string valid;
  valid.reserve(utf8.size());
  each_code_point(utf8, [&](std::int32_t point) { append(valid, point); });
  utf8proc_uint8_t* mapped = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(valid.data()),
                                 static_cast<utf8proc_ssize_t>(valid.size()), &mapped,
                                 static_cast<utf8proc_option_t>(options));
  if (size < 0) return valid;  // out of memory; valid UTF-8 has no other reason
  std::string text(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
  free(mapped);
  return text;
}

bool is_ascii(std::string_view text) {
  for (const char letter : text)
    if (static_cast<unsigned char>(letter) >= 0x80) return false;
  return true;
}

}  // namespace

std::string fold(std::string_view utf8) {
  if (is_ascii(utf8)) {
    std::string lower(utf8);
    for (auto& letter : lower)
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
    return lower;
  }
  const auto bare =
      mapped(utf8, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK);
  std::string folded;
  folded.reserve(bare.size());
  each_code_point(bare, [&](std::int32_t point) {
    for (const auto& plain : kPlain)
      if (plain.letter == point) {
        folded += plain.typed;
        return;
      }
    append(folded, point);
  });
  return folded;
}

std::vector<std::string> folded_words(std::string_view utf8) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  each_code_point(fold(utf8), [&](std::int32_t point) {
    if (point == '\'' || point == 0x2019) return;
    const auto category = utf8proc_category(point);
    const bool inside = (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
                        (category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_NO);
    if (inside && point != 0xFFFD)
      append(word, point);
    else
      end_word();
  });
  end_word();
  return words;
}

std::string decompose(std::string_view utf8) { return mapped(utf8, UTF8PROC_DECOMPOSE); }
std::string compose(std::string_view utf8) { return mapped(utf8, UTF8PROC_COMPOSE); }

std::size_t length(std::string_view utf8) {
  std::size_t count = 0;
  each_code_point(utf8, [&](std::int32_t) { ++count; });
  return count;
}

}  // namespace alcove::text
