#pragma once
// What somebody typed into the search box, as a value.
//
//   graph transformers author:lecun title:attention keyword:"optimal transport" venue:neurips year:>=2020
//   decision:oral area:theory -survey "exact phrase" -author:smith

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace alcove::papers {

enum class Field { Author, Title, Keyword, Venue, Year, Decision, Area, Phrase };

// One condition a paper has to meet, or with `excluded` must not. A phrase is one anywhere in the text; an
// excluded word is a phrase of one word.
struct Condition {
  Field field = Field::Phrase;
  std::string value;
  int from = 0;  // years, both included; used by Year alone
  int to = 9'999;
  bool excluded = false;

  bool operator==(const Condition&) const = default;
};

struct Query {
  std::string text;  // what papers are ranked by: words and phrases, without fields and exclusions
  std::vector<Condition> conditions;
};

// Any text is a query. Fields and signs count in a text of at most 400 bytes: what is longer is an abstract
// that somebody pasted, taken as it is. A colon after another word, and a quote that never closes, are text.
// BadInput when a year is none; TooLarge over 1 MiB.
Result<Query> read_query(std::string_view typed);

// The same for a value of its own, as a flag or a form gives it: "2020", ">=2020", "2020..2023".
Result<Condition> year_condition(std::string_view value);

// How it is typed: author:"Yann LeCun", -survey, year:2020..2023.
std::string to_text(const Condition& condition);
std::string_view name_of(Field field);
std::optional<Field> field_named(std::string_view name);

}  // namespace alcove::papers
