#pragma once
// What follows from a paper alone.

#include <optional>
#include <string>
#include <string_view>

#include "store/paper.h"

namespace alcove::papers {

using store::Paper;

// "NeurIPS 2025 poster" is venue "NeurIPS 2025" and decision "poster"; "Submitted to ICLR 2024" has decision
// "submitted". A text without such a word stays as it is, with no decision.
struct VenueText {
  std::string venue;
  std::string decision;
};
VenueText read_venue(std::string_view text);

// The only number from 1800 to 2199 in a text, or the last one: 2025 of "NeurIPS 2025".
std::optional<int> year_in(std::string_view text);

// A name for a paper whose source has none: family name of the first author, year, first long word of the
// title: "vaswani2017attention". ASCII letters and digits; never empty.
std::string name_for(const Paper& paper);

// Changes when what is embedded or looked up changes: sha256 over every field but `modified`.
std::string text_hash(const Paper& paper);

// Blanks, line ends and control characters as single blanks, none at the ends.
std::string tidy(std::string_view text);

// "a; b;; c" without blanks around and without empty ones.
std::vector<std::string> split_list(std::string_view text, char separator);

}  // namespace alcove::papers
