#pragma once
// BERT's way to make a text plain before it is cut into words.

#include <functional>
#include <string>
#include <string_view>

namespace alcove::text {

// The switches of a tokenizer's BertNormalizer, as an uncased model has them.
struct Normalisation {
  bool clean = true;       // control characters go, every blank becomes a space
  bool ideographs = true;  // blanks around each Chinese character
  bool strip_accents = true;
  bool lower_case = true;
  bool operator==(const Normalisation&) const = default;
};

// The steps in the order of the switches, as Hugging Face's tokenizers takes them.
std::string normalise(std::string_view text, const Normalisation& how);

// Calls `word` with each word of a normalised text: what stands between blanks, a punctuation character by
// itself. Ends early when `word` gives false.
void split_words(std::string_view normalised, const std::function<bool(std::string_view)>& word);

}  // namespace alcove::text
