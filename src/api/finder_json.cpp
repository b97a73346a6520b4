#include "api/finder_json.h"

#include <nlohmann/json.hpp>

#include "papers/explain.h"
#include "papers/export.h"

namespace alcove::api {
namespace {

Json terms_json(const std::vector<papers::TermShare>& terms) {
  auto list = Json::array();
  for (const auto& [term, share] : terms) list.push_back({{"term", term}, {"share", share}});
  return list;
}

// What a row shows of the paper: the sentence that has most of the query's words, else what it begins with.
std::string snippet_of(const papers::SearchRequest& request, const papers::Hit& hit) {
  if (hit.explanation && !hit.explanation->best_sentence.empty()) return hit.explanation->best_sentence;
  if (request.query.text.empty() && !hit.paper.summary.empty()) return hit.paper.summary;
  const std::string_view abstract = hit.paper.abstract;
  const auto best = papers::best_sentences(std::span(&abstract, 1), request.query.text, {}, nullptr);
  return best && !best->empty() ? best->front() : std::string();
}

Json hit_json(const papers::SearchRequest& request, const papers::Hit& hit, bool whole) {
  auto json = paper_json(hit.paper);
  if (!whole) {
    json.erase("abstract");
    json.erase("bibtex");
  }
  json["snippet"] = snippet_of(request, hit);
  json["score"] = hit.score;
  if (hit.cosine) {
    json["cosine"] = *hit.cosine;
    json["similarity"] = *hit.similarity();
  }
  if (hit.meaning_rank) json["rank_by_meaning"] = *hit.meaning_rank;
  if (hit.words_rank) json["rank_by_words"] = *hit.words_rank;
  if (hit.explanation)
    json["why"] = {{"terms", terms_json(hit.explanation->terms)},
                   {"sentence", hit.explanation->best_sentence},
                   {"shared", hit.explanation->shared}};
  return json;
}

Json facet_json(const std::vector<papers::FacetValue>& values) {
  auto list = Json::array();
  for (const auto& [value, count] : values) list.push_back({{"value", value}, {"count", count}});
  return list;
}

Json facets_json(const papers::Facets& facets) {
  return {{"venue", facet_json(facets.venues)},       {"year", facet_json(facets.years)},
          {"decision", facet_json(facets.decisions)}, {"area", facet_json(facets.areas)},
          {"keyword", facet_json(facets.keywords)},   {"author", facet_json(facets.authors)}};
}

Json relaxation_json(const papers::Relaxation& relaxation) {
  auto without = Json::array();
  for (const auto& condition : relaxation.without)
    without.push_back({{"field", papers::name_of(condition.field)},
                       {"value", condition.value},
                       {"text", papers::to_text(condition)}});
  return {{"without", std::move(without)}, {"total", relaxation.papers}};
}

}  // namespace

Json search_json(const papers::SearchRequest& request, const papers::SearchResult& result, bool whole) {
  auto hits = Json::array();
  for (const auto& hit : result.hits) hits.push_back(hit_json(request, hit, whole));
  auto relax = Json::array();
  for (const auto& relaxation : result.relaxations) relax.push_back(relaxation_json(relaxation));
  Json json{{"query", request.query.text}, {"mode", papers::name_of(result.mode)},
            {"total", result.total},       {"offset", request.offset},
            {"results", std::move(hits)},  {"relax", std::move(relax)},
            {"notes", result.notes}};
  if (request.facet_values > 0) json["facets"] = facets_json(result.facets);
  return json;
}

Json paper_json(const papers::Paper& paper) {
  auto json = papers::to_json(paper);
  json["authors"] = paper.authors;
  json["keywords"] = paper.keywords;
  return json;
}

}  // namespace alcove::api
