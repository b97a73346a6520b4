#include "api/finder_request.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace alcove::api {
namespace {

constexpr std::size_t kMostHits = 1'000;  // of one answer; all of them come as an export
constexpr std::size_t kMostOffset = 1'000'000;
constexpr std::size_t kMostFacets = 1'000;
constexpr std::size_t kMostConditions = 100;
constexpr std::array kFilters{papers::Field::Venue, papers::Field::Year,    papers::Field::Decision,
                              papers::Field::Area,  papers::Field::Keyword, papers::Field::Author,
                              papers::Field::Title};

Result<std::size_t> whole_number(std::string_view query, std::string_view name, std::size_t otherwise,
                                 std::size_t most) {
  const auto text = form_value(query, name);
  if (!text || text->empty()) return otherwise;
  std::size_t value = 0;
  const auto* end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stopped != end || value > most)
    return fail(ErrorKind::BadInput, fmt::format("`{}` is a whole number from 0 to {}", name, most));
  return value;
}

Result<double> share(std::string_view query, std::string_view name, double otherwise) {
  const auto text = form_value(query, name);
  if (!text || text->empty()) return otherwise;
  double value = 0;
  const auto* end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stopped != end || !(value >= 0 && value <= 1))
    return fail(ErrorKind::BadInput, fmt::format("`{}` is a number from 0 to 1", name));
  return value;
}

Result<papers::Condition> condition(papers::Field field, std::string value) {
  if (field == papers::Field::Year) return papers::year_condition(value);
  return papers::Condition{.field = field, .value = std::move(value)};
}

}  // namespace

Result<papers::SearchRequest> search_request(std::string_view query) {
  papers::SearchRequest request;
  request.query = TRY(papers::read_query(form_value(query, "q").value_or("")));
  if (const auto mode = form_value(query, "mode"); mode && !mode->empty()) {
    const auto known = papers::mode_named(*mode);
    if (!known) return fail(ErrorKind::BadInput, "`mode` is both, meaning or words");
    request.mode = *known;
  }
  request.weight = TRY(share(query, "weight", request.weight));
  request.limit = TRY(whole_number(query, "n", request.limit, kMostHits));
  request.offset = TRY(whole_number(query, "offset", 0, kMostOffset));
  request.facet_values = TRY(whole_number(query, "facets", request.offset == 0 ? 20 : 0, kMostFacets));
  request.explain = form_value(query, "explain").value_or("0") == "1";
  request.like = form_values(query, "like");
  request.unlike = form_values(query, "unlike");
  for (const auto field : kFilters)
    for (auto& value : form_values(query, papers::name_of(field)))
      if (!value.empty()) request.query.conditions.push_back(TRY(condition(field, std::move(value))));
  if (request.query.conditions.size() + request.like.size() + request.unlike.size() > kMostConditions)
    return fail(ErrorKind::BadInput,
                fmt::format("at most {} filters and papers can be named at once", kMostConditions));
  return request;
}

}  // namespace alcove::api
