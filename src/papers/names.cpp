#include "papers/names.h"

#include <algorithm>
#include <array>
#include <span>

#include "papers/paper.h"
#include "text/fold.h"

namespace alcove::papers {
namespace {

constexpr std::array<std::string_view, 4> kSuffixes{"jr", "sr", "ii", "iii"};

// Words that open a family name; Debian's own list would be longer, papers' authors need these.
constexpr std::array<std::string_view, 20> kParticles{"van", "von", "der", "den", "de",  "del", "della",
                                                      "di",  "da",  "dos", "du",  "la",  "le",  "el",
                                                      "al",  "bin", "ibn", "ter", "ten", "zu"};

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

bool is_suffix(std::string_view word) {
  const auto folded = text::folded_words(word);
  return folded.size() == 1 && is_one_of(folded.front(), kSuffixes);
}

// The profile "~Yann_LeCun1" is the name "Yann LeCun".
std::string without_profile_marks(std::string_view name) {
  if (!name.starts_with('~')) return std::string(name);
  std::string plain(name.substr(1));
  while (!plain.empty() && plain.back() >= '0' && plain.back() <= '9') plain.pop_back();
  std::ranges::replace(plain, '_', ' ');
  return plain;
}

std::vector<std::string> words_of(std::string_view name) {
  auto words = text::folded_words(first_last(without_profile_marks(name)));
  if (words.size() > 1 && is_one_of(words.back(), kSuffixes)) words.pop_back();
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const auto& word : words) all += word;
  return all;
}

bool may_be_the_same(const std::string& typed, const std::string& printed) {
  if (typed == printed) return true;
  return (text::length(typed) == 1 && printed.starts_with(typed)) ||
         (text::length(printed) == 1 && typed.starts_with(printed));
}

// The family names are equal, and the given names that were typed follow one another among those printed.
bool in_order(const std::vector<std::string>& typed, const std::vector<std::string>& printed) {
  if (printed.size() < 2 || typed.back() != printed.back()) return false;
  std::size_t next = 0;
  for (std::size_t i = 0; i + 1 < printed.size() && next + 1 < typed.size(); ++i)
    if (may_be_the_same(typed[next], printed[i])) ++next;
  return next + 1 == typed.size();
}

}  // namespace

std::string first_last(std::string_view name) {
  const auto parts = split_list(name, ',');
  if (parts.size() < 2) return tidy(parts.empty() ? name : parts.front());
  // "Last, First", "Last, Jr., First" as BibTeX has it, or "First Last, Jr."
  if (parts.size() == 2 && is_suffix(parts[1])) return parts[0] + " " + parts[1];
  if (parts.size() == 2) return parts[1] + " " + parts[0];
  return parts[2] + " " + parts[0] + " " + parts[1];
}

NameParts name_parts(std::string_view name) {
  const auto comma = split_list(name, ',');
  if (comma.size() == 2 && !is_suffix(comma[1])) return {comma[1], comma[0]};
  auto words = split_list(first_last(name), ' ');
  if (words.empty()) return {};
  const std::size_t suffixed = words.size() > 2 && is_suffix(words.back()) ? 2 : 1;
  auto family = words.size() - suffixed;
  while (family > 1 && is_one_of(text::fold(words[family - 1]), kParticles)) --family;
  NameParts parts;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto& part = i < family ? parts.given : parts.family;
    if (!part.empty()) part += ' ';
    part += words[i];
  }
  return parts;
}

std::string family_name(std::string_view name) { return name_parts(name).family; }

NameQuery::NameQuery(std::string_view typed) : words_(words_of(typed)) {}

bool NameQuery::matches(std::string_view printed) const {
  const auto words = words_of(printed);
  if (words_.empty() || words.empty()) return false;
  if (words_.size() == 1 && std::ranges::find(words, words_.front()) != words.end()) return true;
  if (joined(words_) == joined(words)) return true;  // "Le Cun", "Xiao-Ming", "XiaoMing"
  if (words_.size() < 2) return false;
  if (in_order(words_, words)) return true;
  // Family name first, without a comma.
  return words.size() == 2 && words_.size() == 2 && words_[0] == words[1] && words_[1] == words[0];
}

}  // namespace alcove::papers
