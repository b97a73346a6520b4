#pragma once
// Texts and queries as FTS5 takes them.

#include <string>
#include <string_view>

namespace alcove::store {

struct WordQuery;

// The text, then each word with hyphens once more without them: FTS5 parts "self-supervised" in two, and
// "selfsupervised" should find it as well. Never more than twice the text.
std::string with_joined_words(std::string_view text);

// In double quotes, where FTS5 knows no operators.
std::string quoted_phrase(std::string_view text);

// Empty when there is nothing to look for.
std::string match_expression(const WordQuery& query);

}  // namespace alcove::store
