#include "app/papers_server.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/serve_finder.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "net/http_client.h"
#include "net/url.h"
#include "papers/readers.h"

namespace alcove::app {
namespace {

constexpr std::size_t kMostAtOnce = 1'000;  // papers of one answer of the server's
constexpr net::Limits kPatience{.connect = std::chrono::milliseconds(500), .total = std::chrono::seconds(20)};

// Where it said it listens; empty without one. It may be gone, which the request will show.
std::string address_of_server(const std::filesystem::path& index) {
  const auto note = MappedFile::open(index / api::kAddressFile);
  const auto address = note ? papers::tidy(as_text(note->bytes())) : "";
  const auto origin = net::origin_of(address);
  return origin && net::is_loopback(*origin) ? address : "";
}

std::string question(const SearchOptions& options) {
  std::string address =
      fmt::format("/api/search?whole=1&mode={}&weight={}&n={}&offset={}&explain={:d}&facets={}", options.mode,
                  options.weight, options.limit, options.offset, options.explain, options.facets ? 10 : 0);
  const auto add = [&](const std::string& name, const std::string& value) {
    address += fmt::format("&{}={}", name, net::percent_encoded(value));
  };
  add("q", options.query);
  for (const auto& id : options.like) add("like", id);
  for (const auto& id : options.unlike) add("unlike", id);
  for (const auto& [name, values] : options.filters)
    for (const auto& value : values) add(name, value);
  return address;
}

std::string text_of(const Json& json, const char* key) {
  const auto& text = member(json, key);
  return text.is_string() ? text.get<std::string>() : "";
}

template <class Number>
std::optional<Number> number_of(const Json& json, const char* key) {
  const auto& number = member(json, key);
  return number.is_number() ? std::optional(number.get<Number>()) : std::nullopt;
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  for (const auto& text : list)
    if (text.is_string()) texts.push_back(text.get<std::string>());
  return texts;
}

papers::Hit hit_of(const Json& json) {
  papers::Hit hit{.paper = papers::paper_from_json(json).value_or(papers::Paper()),
                  .score = number_of<double>(json, "score").value_or(0),
                  .cosine = number_of<float>(json, "cosine"),
                  .meaning_rank = number_of<std::size_t>(json, "rank_by_meaning"),
                  .words_rank = number_of<std::size_t>(json, "rank_by_words"),
                  .explanation = {}};
  const auto& why = member(json, "why");
  if (!why.is_object()) return hit;
  auto& explanation = hit.explanation.emplace();
  explanation.best_sentence = text_of(why, "sentence");
  explanation.shared = texts_of(member(why, "shared"));
  for (const auto& term : member(why, "terms"))
    explanation.terms.push_back({text_of(term, "term"), number_of<double>(term, "share").value_or(0)});
  return hit;
}

std::vector<papers::FacetValue> facet_of(const Json& list) {
  std::vector<papers::FacetValue> values;
  for (const auto& each : list)
    values.push_back({text_of(each, "value"), number_of<std::size_t>(each, "count").value_or(0)});
  return values;
}

papers::Relaxation relaxation_of(const Json& json) {
  papers::Relaxation relaxation{.without = {}, .papers = number_of<std::size_t>(json, "total").value_or(0)};
  for (const auto& condition : member(json, "without"))
    if (const auto read = papers::read_query(text_of(condition, "text")))
      relaxation.without.insert(relaxation.without.end(), read->conditions.begin(), read->conditions.end());
  return relaxation;
}

papers::SearchResult result_of(const Json& json) {
  papers::SearchResult result{.total = number_of<std::size_t>(json, "total").value_or(0),
                              .mode = papers::mode_named(text_of(json, "mode")).value_or(papers::Mode::Both),
                              .notes = texts_of(member(json, "notes"))};
  for (const auto& hit : member(json, "results")) result.hits.push_back(hit_of(hit));
  for (const auto& each : member(json, "relax")) result.relaxations.push_back(relaxation_of(each));
  const auto& facets = member(json, "facets");
  result.facets = {.venues = facet_of(member(facets, "venue")),
                   .years = facet_of(member(facets, "year")),
                   .decisions = facet_of(member(facets, "decision")),
                   .areas = facet_of(member(facets, "area")),
                   .keywords = facet_of(member(facets, "keyword")),
                   .authors = facet_of(member(facets, "author"))};
  return result;
}

}  // namespace

std::optional<Result<papers::SearchResult>> ask_server(const SearchOptions& options) {
  // A model of one's own, or more than fits into an answer, is for this process.
  if (!options.papers.model.empty() || options.all || options.limit > kMostAtOnce) return std::nullopt;
  const auto address = address_of_server(options.papers.index());
  if (address.empty()) return std::nullopt;
  const auto reply = net::send({.url = address + question(options), .limits = kPatience});
  if (!reply || reply->status / 100 == 5 || reply->status == 429) return std::nullopt;
  const auto json = parse_json(reply->body);
  if (!json) return std::nullopt;
  if (reply->status == 200) return result_of(*json);
  return fail(reply->status == 404 ? ErrorKind::NotFound : ErrorKind::BadInput, text_of(*json, "detail"));
}

}  // namespace alcove::app
