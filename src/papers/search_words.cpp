#include "papers/search_words.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include "text/fold.h"

namespace alcove::papers {
namespace {

// Sorted, for binary search.
constexpr std::array<std::string_view, 72> kEveryText{
    "a",       "about", "all",   "also",  "an",    "and",  "any",   "are",    "as",   "at",   "be",
    "been",    "but",   "by",    "can",   "do",    "does", "for",   "from",   "had",  "has",  "have",
    "how",     "i",     "if",    "in",    "into",  "is",   "it",    "its",    "may",  "more", "most",
    "not",     "of",    "on",    "or",    "other", "our",  "paper", "papers", "so",   "some", "such",
    "than",    "that",  "the",   "their", "them",  "then", "there", "these",  "they", "this", "those",
    "through", "to",    "under", "using", "via",   "was",  "we",    "were",   "what", "when", "where",
    "which",   "while", "who",   "why",   "will",  "with"};
static_assert(std::ranges::is_sorted(kEveryText));

constexpr std::size_t kShortestMisspelt = 4;
constexpr std::size_t kTwoMistakes = 8;  // letters from which two are forgiven
constexpr std::size_t kLongestWord = 32;

// "self-supervised" without its hyphens, for each such word of the text.
std::vector<std::string> joined_words(std::string_view text) {
  std::vector<std::string> joined;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find_first_of(" \t\r\n", at), text.size());
    auto word = text.substr(at, end - at);
    at = end + 1;
    const auto hyphen = word.find('-');
    if (hyphen == std::string_view::npos || hyphen == 0 || hyphen + 1 == word.size()) continue;
    std::string whole;
    for (const auto& part : text::folded_words(word)) whole += part;
    if (!whole.empty()) joined.push_back(std::move(whole));
  }
  return joined;
}

// How many mistakes (letters wrong, added, left out, swapped) lead from the term to the misspelt word; more
// than `most` counts as most + 1.
std::size_t mistakes(std::string_view misspelt, std::string_view term, std::size_t most) {
  // Rows of the classic table, of which a swap needs the last two.
  std::array<std::size_t, kLongestWord + 1> before_last{}, last{}, now{};
  for (std::size_t i = 0; i <= misspelt.size(); ++i) last[i] = i;
  for (std::size_t t = 1; t <= term.size(); ++t) {
    now[0] = t;
    auto least = now[0];
    for (std::size_t i = 1; i <= misspelt.size(); ++i) {
      const bool same = term[t - 1] == misspelt[i - 1];
      now[i] = std::min({last[i] + 1, now[i - 1] + 1, last[i - 1] + (same ? 0 : 1)});
      if (t > 1 && i > 1 && term[t - 1] == misspelt[i - 2] && term[t - 2] == misspelt[i - 1])
        now[i] = std::min(now[i], before_last[i - 2] + 1);
      least = std::min(least, now[i]);
    }
    if (least > most) return most + 1;
    before_last = last;
    last = now;
  }
  return last[misspelt.size()];
}

}  // namespace

std::vector<std::string> search_words(std::string_view text) {
  auto words = text::folded_words(text);
  for (auto& word : joined_words(text)) words.push_back(std::move(word));
  std::vector<std::string> kept;
  std::set<std::string> seen;
  const auto keep = [&](bool every) {
    for (const auto& word : words)
      if ((every || !std::ranges::binary_search(kEveryText, word)) && seen.insert(word).second)
        kept.push_back(word);
  };
  keep(false);
  if (kept.empty()) keep(true);
  return kept;
}

std::string nearest_word(std::string_view misspelt,
                         const std::vector<std::pair<std::string, std::int64_t>>& vocabulary) {
  if (misspelt.size() < kShortestMisspelt || misspelt.size() > kLongestWord) return "";
  auto most = misspelt.size() < kTwoMistakes ? std::size_t{1} : std::size_t{2};
  const std::pair<std::string, std::int64_t>* best = nullptr;
  for (const auto& candidate : vocabulary) {
    const auto& term = candidate.first;
    if (term.size() + most < misspelt.size() || term.size() > misspelt.size() + most) continue;
    const auto count = mistakes(misspelt, term, most);
    if (count > most || (best != nullptr && count == most && candidate.second <= best->second)) continue;
    most = count;
    best = &candidate;
  }
  return best == nullptr ? "" : best->first;
}

std::vector<std::string_view> sentences(std::string_view text) {
  std::vector<std::string_view> found;
  std::size_t start = 0;
  const auto add = [&](std::size_t end) {
    while (start < end && text[start] == ' ') ++start;
    if (start < end) found.push_back(text.substr(start, end - start));
    start = end;
  };
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    // "et al. show" and "e.g. this" go on in lower case; "J. Smith" has a single letter before its point.
    const bool ends = text[i] == '.' || text[i] == '?' || text[i] == '!';
    const bool begins = text[i + 1] == ' ' && !(text[i + 2] >= 'a' && text[i + 2] <= 'z');
    const bool initial = i < 2 || text[i - 2] == ' ';
    if (ends && begins && !initial) add(i + 1);
  }
  add(text.size());
  return found;
}

}  // namespace alcove::papers
