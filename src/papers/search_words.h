#pragma once
// Which words of a query to look for.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alcove::papers {

// The words of a text worth looking for, each once, folded, in the order they come; of "self-supervised" its
// parts and "selfsupervised". Words that every English text has are left out unless there are no others.
std::vector<std::string> search_words(std::string_view text);

// The word of the vocabulary that a misspelt one probably is: at most one letter wrong, added, left out or
// two in the wrong order, from eight letters on two of these. Of several the nearest, then the most frequent;
// empty when none is near or the word is shorter than four letters.
std::string nearest_word(std::string_view misspelt,
                         const std::vector<std::pair<std::string, std::int64_t>>& vocabulary);

// The sentences of a text.
std::vector<std::string_view> sentences(std::string_view text);

}  // namespace alcove::papers
