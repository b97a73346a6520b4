#include "papers/catalogue.h"

#include <algorithm>
#include <map>

#include "papers/names.h"
#include "text/fold.h"

namespace alcove::papers {
namespace {

// "networks" and "network", "studies" and "study"; not "class", "bias", "focus".
void drop_plural(std::string& word) {
  if (word.size() < 4 || !word.ends_with('s')) return;
  if (word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") || word.ends_with("as")) return;
  word.pop_back();
  if (word.ends_with("ie")) word.replace(word.size() - 2, 2, "y");
}

void sort_by_count(std::vector<FacetValue>& values, std::size_t limit) {
  const auto end = values.begin() + static_cast<std::ptrdiff_t>(std::min(limit, values.size()));
  std::ranges::partial_sort(values, end, [](const FacetValue& a, const FacetValue& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  });
  values.erase(end, values.end());
}

std::vector<std::string> one(const std::string& value) {
  return value.empty() ? std::vector<std::string>() : std::vector{value};
}

RowFilter operator|(RowFilter a, const RowFilter& b) {
  for (std::size_t row = 0; row < a.size(); ++row) a[row] |= b[row];
  return a;
}

}  // namespace

std::vector<std::string> loose_words(std::string_view text) {
  auto words = text::folded_words(text);
  for (auto& word : words) {
    drop_plural(word);
    if (word == "nip") word = "neurip";  // as "nips" and "neurips" are without their s
  }
  return words;
}

bool contains_words(const std::vector<std::string>& text, const std::vector<std::string>& words) {
  return !words.empty() && !std::ranges::search(text, words).empty();
}

void Catalogue::Column::add_row(const std::vector<std::string>& row_values) {
  for (const auto& value : row_values) {
    const auto [place, is_new] = places.emplace(value, static_cast<std::uint32_t>(values.size()));
    if (is_new) values.push_back(value);
    items.push_back(place->second);
  }
  starts.push_back(items.size());
}

template <class Matches>
RowFilter Catalogue::Column::rows_where(Matches matches) const {
  std::vector<std::uint8_t> wanted;
  for (const auto& value : values) wanted.push_back(matches(value) ? 1 : 0);
  RowFilter rows(starts.size() - 1);
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (auto at = starts[row]; at < starts[row + 1]; ++at) rows[row] |= wanted[items[at]];
  return rows;
}

std::vector<FacetValue> Catalogue::Column::count(const RowFilter& rows, std::size_t limit) const {
  std::vector<std::size_t> counts(values.size());
  for (std::size_t row = 0; row + 1 < starts.size(); ++row)
    if (rows[row] != 0)
      for (auto at = starts[row]; at < starts[row + 1]; ++at) ++counts[items[at]];
  std::vector<FacetValue> found;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] != 0) found.push_back({values[i], counts[i]});
  sort_by_count(found, limit);
  return found;
}

Result<Catalogue> Catalogue::load(store::PaperIndex& index) {
  Catalogue catalogue;
  TRY(index.each_facts([&](PaperNumber number, const store::Paper& paper) { catalogue.add(number, paper); }));
  return catalogue;
}

void Catalogue::add(PaperNumber number, const store::Paper& paper) {
  rows_by_id_.emplace(paper.id, static_cast<std::uint32_t>(numbers_.size()));
  numbers_.push_back(number);
  years_.push_back(paper.year);
  titles_.push_back(loose_words(paper.title));
  venues_.add_row(one(paper.venue));
  venue_ids_.add_row(one(paper.venue_id));
  decisions_.add_row(one(paper.decision));
  areas_.add_row(one(paper.area));
  keywords_.add_row(paper.keywords);
  authors_.add_row(paper.authors);
  author_ids_.add_row(paper.author_ids);
}

std::optional<std::uint32_t> Catalogue::row_of(PaperNumber number) const {
  const auto place = std::ranges::lower_bound(numbers_, number);
  if (place == numbers_.end() || *place != number) return std::nullopt;
  return static_cast<std::uint32_t>(place - numbers_.begin());
}

std::optional<std::uint32_t> Catalogue::row_of(std::string_view id) const {
  const auto found = rows_by_id_.find(std::string(id));
  return found == rows_by_id_.end() ? std::nullopt : std::optional(found->second);
}

RowFilter Catalogue::rows_with(const Condition& condition) const {
  const auto words = loose_words(condition.value);
  const auto has_words = [&](const std::string& value) { return contains_words(loose_words(value), words); };
  const auto is_name = [query = NameQuery(condition.value)](const std::string& name) {
    return query.matches(name);
  };
  const auto is_the_same = [&](const std::string& value) { return value == condition.value; };
  switch (condition.field) {
    case Field::Author: return authors_.rows_where(is_name) | author_ids_.rows_where(is_the_same);
    case Field::Keyword: return keywords_.rows_where(has_words);
    case Field::Venue: return venues_.rows_where(has_words) | venue_ids_.rows_where(is_the_same);
    case Field::Decision: return decisions_.rows_where(has_words);
    case Field::Area: return areas_.rows_where(has_words);
    default: break;
  }
  RowFilter found(rows());
  for (std::size_t row = 0; row < rows(); ++row)
    found[row] = condition.field == Field::Year ? years_[row] >= condition.from && years_[row] <= condition.to
                 : condition.field == Field::Title ? contains_words(titles_[row], words)
                                                   : false;
  return found;
}

Facets Catalogue::facets(const RowFilter& rows, std::size_t limit) const {
  Facets facets{.venues = venues_.count(rows, limit),
                .decisions = decisions_.count(rows, limit),
                .areas = areas_.count(rows, limit),
                .keywords = keywords_.count(rows, limit),
                .authors = authors_.count(rows, limit)};
  std::map<int, std::size_t, std::greater<>> years;
  for (std::size_t row = 0; row < rows.size(); ++row)
    if (rows[row] != 0 && years_[row] != 0) ++years[years_[row]];
  for (const auto& [year, count] : years) facets.years.push_back({std::to_string(year), count});
  return facets;
}

}  // namespace alcove::papers
