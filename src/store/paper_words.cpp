#include "store/paper_words.h"

#include <algorithm>

#include "store/paper_index.h"

namespace alcove::store {
namespace {

bool is_inside_word(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z');
}

// FTS5 refuses a phrase without a single word in it only silently: it matches nothing. So such phrases are
// left out.
bool has_word(std::string_view text) { return std::ranges::any_of(text, is_inside_word); }

std::string phrases(const std::vector<std::string>& texts, std::string_view between) {
  std::string expression;
  for (const auto& text : texts) {
    if (!has_word(text)) continue;
    if (!expression.empty()) expression += between;
    expression += quoted_phrase(text);
  }
  return expression;
}

}  // namespace

std::string with_joined_words(std::string_view text) {
  std::string joined(text);
  for (std::size_t at = 0; at < text.size();) {
    auto end = at;
    bool has_hyphen = false;
    while (end < text.size() && (is_inside_word(text[end]) || (text[end] == '-' && end > at)))
      has_hyphen |= text[end++] == '-';
    if (has_hyphen && text[end - 1] != '-') {
      joined += ' ';
      std::ranges::copy_if(text.substr(at, end - at), std::back_inserter(joined),
                           [](char letter) { return letter != '-'; });
    }
    at = end + 1;
  }
  return joined;
}

std::string quoted_phrase(std::string_view text) {
  std::string phrase(1, '"');
  for (const char letter : text)
    // NUL would end the expression for SQLite.
    if (letter != '\0') phrase.append(letter == '"' ? 2 : 1, letter);
  phrase += '"';
  return phrase;
}

std::string match_expression(const WordQuery& query) {
  const auto any = phrases(query.any, " OR ");
  const auto all = phrases(query.all, " AND ");
  const auto without = phrases(query.without, " OR ");
  std::string expression = any.empty() || all.empty() ? any + all : "(" + any + ") AND (" + all + ")";
  if (!expression.empty() && !without.empty()) expression = "(" + expression + ") NOT (" + without + ")";
  if (!expression.empty() && query.in_title) expression = "{title} : (" + expression + ")";
  return expression;
}

}  // namespace alcove::store
