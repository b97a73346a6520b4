#pragma once
// What BERT's tokenizer makes of a single character: tables generated from the real one
// (tests/golden/characters.py), because every Unicode library has classes of another version.

#include <cstdint>
#include <span>

namespace alcove::text {

enum CharacterClass : std::uint8_t {  // bits
  kDropped = 1,                       // control characters, U+0000, U+FFFD
  kBlank = 2,                         // ends a word; some are dropped before they could
  kIdeograph = 4,                     // a word of its own
  kMark = 8,                          // an accent, standing by itself
  kPunctuation = 16,                  // a word of its own
};
std::uint8_t class_of(char32_t character);

// Canonical combining class: accents of different classes are put in its order. 0 is a character that others
// do not move past.
std::uint8_t order_of(char32_t character);

// Canonical decomposition, full length: at most four characters. Empty where the character stays as it is.
// Hangul syllables are not among them.
std::span<const char32_t> decomposition_of(char32_t character);

// Lower case, at most two characters; empty where the character stays as it is.
std::span<const char32_t> lower_case_of(char32_t character);

}  // namespace alcove::text
