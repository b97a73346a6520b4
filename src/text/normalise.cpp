#include "text/normalise.h"

#include <algorithm>
#include <vector>

#include "text/characters.h"
#include "text/utf8.h"

namespace alcove::text {
namespace {

// Hangul syllables decompose by arithmetic: The Unicode Standard, section 3.12.
constexpr char32_t kSyllables = 0xAC00, kSyllableCount = 11172;
constexpr char32_t kLeads = 0x1100, kVowels = 0x1161, kTails = 0x11A7;
constexpr char32_t kVowelCount = 21, kTailCount = 28;

// Takes characters one by one and leaves them normalised at the end of a string.
class Normaliser {
 public:
  Normaliser(std::string& out, const Normalisation& how) : out_(out), how_(how) {}

  void take(char32_t character) {
    const auto kind = class_of(character);
    if (how_.clean) {
      if (kind & kDropped) return;
      if (kind & kBlank) character = U' ';
    }
    const bool alone = how_.ideographs && (kind & kIdeograph);
    if (alone) decompose(U' ');
    decompose(character);
    if (alone) decompose(U' ');
  }

  void finish() { put_accents(); }

 private:
  void decompose(char32_t character) {
    if (!how_.strip_accents) return lower(character);
    if (character >= kSyllables && character < kSyllables + kSyllableCount) {
      const auto place = character - kSyllables;
      order(kLeads + place / (kVowelCount * kTailCount));
      order(kVowels + place / kTailCount % kVowelCount);
      if (place % kTailCount != 0) order(kTails + place % kTailCount);
      return;
    }
    const auto parts = decomposition_of(character);
    if (parts.empty()) return order(character);
    for (const auto part : parts) order(part);
  }

  // Accents wait for the next character that they do not move past, to be sorted.
  void order(char32_t character) {
    const auto rank = order_of(character);
    if (rank == 0) {
      put_accents();
      strip(character);
    } else {
      accents_.push_back({rank, character});
    }
  }

  void put_accents() {
    std::ranges::stable_sort(accents_, {}, &Accent::rank);
    for (const auto& accent : accents_) strip(accent.character);
    accents_.clear();
  }

  void strip(char32_t character) {
    if (!(class_of(character) & kMark)) lower(character);
  }

  void lower(char32_t character) {
    const auto parts = how_.lower_case ? lower_case_of(character) : std::span<const char32_t>();
    if (parts.empty()) return append_character(out_, character);
    for (const auto part : parts) append_character(out_, part);
  }

  struct Accent {
    std::uint8_t rank;
    char32_t character;
  };
  std::string& out_;
  const Normalisation& how_;
  std::vector<Accent> accents_;
};

// What most texts are made of needs no table.
char plain(char character, const Normalisation& how) {
  const bool capital = character >= 'A' && character <= 'Z';
  return capital && how.lower_case ? static_cast<char>(character + ('a' - 'A')) : character;
}
bool is_plain(char character) { return character >= ' ' && character <= '~'; }

}  // namespace

std::string normalise(std::string_view text, const Normalisation& how) {
  std::string out;
  out.reserve(text.size());
  Normaliser normaliser(out, how);
  for (std::size_t at = 0; at < text.size();) {
    if (is_plain(text[at])) {
      normaliser.finish();
      out += plain(text[at++], how);
    } else {
      normaliser.take(read_character(text, at));
    }
  }
  normaliser.finish();
  return out;
}

void split_words(std::string_view normalised, const std::function<bool(std::string_view)>& word) {
  std::size_t start = 0, at = 0;
  const auto end_word = [&](std::size_t end) {
    return end == start || word(normalised.substr(start, end - start));
  };
  while (at < normalised.size()) {
    const auto before = at;
    const auto kind = class_of(read_character(normalised, at));
    if (!(kind & (kBlank | kPunctuation))) continue;
    if (!end_word(before)) return;
    start = before;
    if ((kind & kPunctuation) && !end_word(at)) return;
    start = at;
  }
  end_word(normalised.size());
}

}  // namespace alcove::text
