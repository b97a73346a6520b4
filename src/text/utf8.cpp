#include "text/utf8.h"

namespace alcove::text {
namespace {

struct Lead {
  int more = 0;  // continuation bytes; 0: not a lead byte
  char32_t bits = 0;
  unsigned char least = 0x80, most = 0xBF;  // what the second byte may be
};

// Unicode's table 3-7, "Well-Formed UTF-8 Byte Sequences".
Lead lead_of(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, byte & 0x1FU};
  if (byte == 0xE0) return {2, 0, 0xA0};
  if (byte == 0xED) return {2, 0xD, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2, byte & 0xFU};
  if (byte == 0xF0) return {3, 0, 0x90};
  if (byte >= 0xF1 && byte <= 0xF3) return {3, byte & 0x7U};
  if (byte == 0xF4) return {3, 4, 0x80, 0x8F};
  return {};
}

}  // namespace

char32_t read_character(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at++]);
  if (first < 0x80) return first;
  auto [more, character, least, most] = lead_of(first);
  if (more == 0) return kReplacement;
  for (; more > 0; --more) {
    if (at == text.size()) return kReplacement;
    const auto next = static_cast<unsigned char>(text[at]);
    if (next < least || next > most) return kReplacement;
    character = character << 6 | (next & 0x3FU);
    least = 0x80, most = 0xBF;
    ++at;
  }
  return character;
}

void append_character(std::string& text, char32_t character) {
  const auto put = [&](char32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (character < 0x80) {
    put(character);
  } else if (character < 0x800) {
    put(0xC0 | character >> 6);
    put(0x80 | (character & 0x3F));
  } else if (character < 0x10000) {
    put(0xE0 | character >> 12);
    put(0x80 | (character >> 6 & 0x3F));
    put(0x80 | (character & 0x3F));
  } else {
    put(0xF0 | character >> 18);
    put(0x80 | (character >> 12 & 0x3F));
    put(0x80 | (character >> 6 & 0x3F));
    put(0x80 | (character & 0x3F));
  }
}

}  // namespace alcove::text
