#pragma once
// Why a paper was found.

#include <span>

#include "papers/finder.h"

namespace alcove::papers {

// Words that add to the score, greatest share first; shares add up to 1.
std::vector<TermShare> term_shares(std::span<const std::string> words, std::span<const double> scores);

// Keywords and authors that the paper has in common with any of the others.
std::vector<std::string> in_common(const Paper& paper, std::span<const Paper> others);

// Of each text the sentence nearest to the query: by vectors when there is an embedder, else by words in
// common.
Result<std::vector<std::string>> best_sentences(std::span<const std::string_view> texts,
                                                std::string_view query, std::span<const float> query_vector,
                                                Embedder* embedder);

}  // namespace alcove::papers
