#pragma once
// What filters and counts need of every paper, in memory: years, and for each other field the values there
// are and which papers have them. A condition is held against the few values, not against the many papers.

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "papers/query.h"
#include "store/paper_index.h"
#include "store/vectors.h"

namespace alcove::papers {

using store::PaperNumber;
using store::RowFilter;

struct FacetValue {
  std::string value;
  std::size_t count = 0;

  bool operator==(const FacetValue&) const = default;
};

// The values papers have, most frequent first; years newest first.
struct Facets {
  std::vector<FacetValue> venues, years, decisions, areas, keywords, authors;
};

// Papers are rows here, numbered from 0 by their number in the index. Unchanging once loaded: safe from any
// thread.
class Catalogue {
 public:
  static Result<Catalogue> load(store::PaperIndex& index);

  std::size_t rows() const { return numbers_.size(); }
  PaperNumber number(std::size_t row) const { return numbers_[row]; }
  std::optional<std::uint32_t> row_of(PaperNumber number) const;
  std::optional<std::uint32_t> row_of(std::string_view id) const;
  int year(std::size_t row) const { return years_[row]; }

  // The papers that meet one condition, whether it is excluded or not. Not for phrases, which the index
  // finds.
  RowFilter rows_with(const Condition& condition) const;

  // Counts over the rows let through, at most `limit` values of each field.
  Facets facets(const RowFilter& rows, std::size_t limit) const;
  std::size_t title_words(std::uint32_t row) const { return titles_[row].size(); }

 private:
  // The values of one field, and for each paper which of them it has.
  struct Column {
    std::vector<std::string> values;
    std::vector<std::size_t> starts{0};  // of each row in `items`, and the end
    std::vector<std::uint32_t> items;
    std::unordered_map<std::string, std::uint32_t> places;

    void add_row(const std::vector<std::string>& row_values);
    template <class Matches>
    RowFilter rows_where(Matches matches) const;
    std::vector<FacetValue> count(const RowFilter& rows, std::size_t limit) const;
  };

  void add(PaperNumber number, const store::Paper& paper);

  std::vector<PaperNumber> numbers_;
  std::unordered_map<std::string, std::uint32_t> rows_by_id_;
  std::vector<int> years_;
  std::vector<std::vector<std::string>> titles_;  // as loose words
  Column venues_, venue_ids_, decisions_, areas_, keywords_, authors_, author_ids_;
};

// Words without case, accents and a plural's ending; "nips" is "neurips".
std::vector<std::string> loose_words(std::string_view text);
// True when the words stand one after the other somewhere in the text.
bool contains_words(const std::vector<std::string>& text, const std::vector<std::string>& words);

}  // namespace alcove::papers
