#include "text/utf8.h"

#include <gtest/gtest.h>

#include <vector>

namespace alcove::text {
namespace {

std::u32string characters_of(std::string_view text) {
  std::u32string found;
  for (std::size_t at = 0; at < text.size();) found += read_character(text, at);
  return found;
}

TEST(Utf8, EveryCharacterComesBack) {
  for (char32_t character = 0; character < 0x110000; ++character) {
    if (character >= 0xD800 && character < 0xE000) continue;
    std::string text;
    append_character(text, character);
    ASSERT_EQ(characters_of(text), std::u32string(1, character)) << std::hex << static_cast<int>(character);
  }
}

// The examples of The Unicode Standard's section 3.9 on replacing maximal parts, as Python's "replace" does
// it.
TEST(Utf8, DamageIsReplacedPartByPart) {
  const std::u32string bad = U"\uFFFD";
  EXPECT_EQ(characters_of("\xC0\xAF"), bad + bad);                      // overlong
  EXPECT_EQ(characters_of("\xED\xA0\x80"), bad + bad + bad);            // a surrogate
  EXPECT_EQ(characters_of("\xF4\x90\x80\x80"), bad + bad + bad + bad);  // past the last plane
  EXPECT_EQ(characters_of("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), bad + bad + bad + bad + U"A");
  EXPECT_EQ(characters_of("a\x80z"), U"a" + bad + U"z");
  EXPECT_EQ(characters_of("\xE2\x82"), bad);
}

}  // namespace
}  // namespace alcove::text
