#include "api/finder_tools.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "api/finder_json.h"
#include "papers/export.h"

namespace alcove::api {
namespace {

constexpr double kMostHits = 1'000;

Result<std::size_t> count_of(const Json& value, std::size_t otherwise) {
  if (value.is_null()) return otherwise;
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (!(number >= 1 && number <= kMostHits))
    return fail(ErrorKind::BadInput, fmt::format("the number of results is 1 to {}", kMostHits));
  return static_cast<std::size_t>(number);
}

Result<std::string> text_of(const Json& value, std::string_view name) {
  if (value.is_null()) return std::string();
  if (!value.is_string()) return fail(ErrorKind::BadInput, fmt::format("`{}` is a text", name));
  return value.get<std::string>();
}

Result<std::vector<std::string>> ids_of(const Json& arguments, const char* name) {
  const auto list = arguments.is_object() ? arguments.value(name, Json()) : Json();
  if (list.is_string()) return std::vector{list.get<std::string>()};
  std::vector<std::string> ids;
  if (!list.is_array() || list.size() > 100)
    return fail(ErrorKind::BadInput, fmt::format("`{}` is a list of up to 100 ids", name));
  for (const auto& id : list) ids.push_back(TRY(text_of(id, name)));
  return ids;
}

// "Vaswani, Shazeer" as one condition for each.
void add_conditions(papers::Query& query, papers::Field field, std::string_view list) {
  for (auto& value : papers::split_list(list, ','))
    query.conditions.push_back({.field = field, .value = std::move(value)});
}

// ---- Gradio

constexpr std::array kColumns{"Title", "Authors", "Keywords", "Abstract",
                              "Venue", "PDF",     "Forum",    "Similarity"};

Json table_of(const papers::SearchResult& found) {
  auto rows = Json::array();
  for (const auto& hit : found.hits) {
    const auto& paper = hit.paper;
    rows.push_back({paper.title, fmt::format("{}", fmt::join(paper.authors, ", ")),
                    fmt::format("{}", fmt::join(paper.keywords, ", ")), paper.abstract, paper.venue,
                    paper.pdf, paper.url, hit.similarity() ? Json(*hit.similarity()) : Json()});
  }
  return {{"headers", kColumns}, {"data", std::move(rows)}, {"metadata", nullptr}};
}

Result<papers::SearchRequest> gradio_request(const std::vector<Json>& values) {
  papers::SearchRequest request;
  const auto text = TRY(text_of(values[0], "query"));
  const auto authors = TRY(text_of(values[2], "authors"));
  const auto keywords = TRY(text_of(values[3], "keywords"));
  request.query = TRY(papers::read_query(text));
  request.limit = TRY(count_of(values[1], 10));
  add_conditions(request.query, papers::Field::Author, authors);
  add_conditions(request.query, papers::Field::Keyword, keywords);
  return request;
}

Result<Json> gradio_search(papers::Finder& finder, const std::vector<Json>& values) {
  const auto request = TRY(gradio_request(values));
  const auto found = TRY(finder.search(request));
  return Json::array({table_of(found)});
}

// ---- tools of an agent

Json schema(Json properties, Json required) {
  return {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}};
}

Json text_schema(std::string_view description) { return {{"type", "string"}, {"description", description}}; }
Json ids_schema(std::string_view description) {
  return {{"type", "array"}, {"items", {{"type", "string"}}}, {"description", description}};
}
Json count_schema() { return {{"type", "integer"}, {"minimum", 1}, {"maximum", 1'000}, {"default", 10}}; }

Result<std::string> found_text(papers::Finder& finder, papers::SearchRequest request, const Json& arguments) {
  request.limit = TRY(count_of(arguments.value("n", Json()), 10));
  const auto found = TRY(finder.search(request));
  return to_text(search_json(request, found));
}

Result<std::string> search_text(papers::Finder& finder, const Json& arguments) {
  papers::SearchRequest request;
  const auto text = TRY(text_of(arguments.value("query", Json()), "query"));
  request.query = TRY(papers::read_query(text));
  const auto mode = TRY(text_of(arguments.value("mode", Json()), "mode"));
  if (!mode.empty()) {
    const auto known = papers::mode_named(mode);
    if (!known) return fail(ErrorKind::BadInput, "`mode` is both, meaning or words");
    request.mode = *known;
  }
  return found_text(finder, std::move(request), arguments);
}

Result<std::string> similar_text(papers::Finder& finder, const Json& arguments) {
  papers::SearchRequest request{.query = {}, .like = TRY(ids_of(arguments, "ids")), .unlike = {}};
  if (request.like.empty()) return fail(ErrorKind::BadInput, "`ids` names no paper");
  return found_text(finder, std::move(request), arguments);
}

Result<std::string> bibtex_text(papers::Finder& finder, const Json& arguments) {
  const auto ids = TRY(ids_of(arguments, "ids"));
  const auto found = TRY(finder.papers(ids));
  if (found.empty()) return fail(ErrorKind::NotFound, "none of these papers is in the index");
  return papers::to_bibtex(found);
}

using Work = Result<std::string> (*)(papers::Finder&, const Json&);

McpTool tool(const AskFinder& ask, std::string name, std::string description, Json input, Work work) {
  return {
      std::move(name), std::move(description), std::move(input),
      [ask, work](Json arguments, std::function<void(Result<std::string>)> done) {
        ask([work, arguments = std::move(arguments), done = std::move(done)](Result<papers::Finder*> finder) {
          if (!finder) return done(std::unexpected(finder.error()));
          if (!arguments.is_object()) return done(fail(ErrorKind::BadInput, "`arguments` is an object"));
          done(work(**finder, arguments));
        });
      }};
}

}  // namespace

std::vector<GradioEndpoint> finder_endpoints(const AskFinder& ask) {
  return {{.name = "search",
           .description = "Papers by meaning and words, best first",
           .inputs = {{"query", "Query", "Textbox", nullptr},
                      {"num_results", "Number of results", "Number", 10},
                      {"authors", "Authors, with commas between", "Textbox", ""},
                      {"keywords", "Keywords, with commas between", "Textbox", ""}},
           .outputs = {{"results", "Results", "Dataframe", nullptr}},
           .run = [ask](GradioCall call) {
             ask([call = std::move(call)](Result<papers::Finder*> finder) {
               call.begin();
               call.done(finder ? gradio_search(**finder, call.values) : std::unexpected(finder.error()));
             });
           }}};
}

std::vector<McpTool> finder_tools(const AskFinder& ask) {
  return {
      tool(ask, "search",
           "Finds papers by meaning and by words. The query may hold author:, venue:, keyword:, title:, "
           "year:>=2020, "
           "-word and \"phrase\".",
           schema({{"query", text_schema("what the papers are about, or a pasted abstract")},
                   {"mode", {{"enum", {"both", "meaning", "words"}}}},
                   {"n", count_schema()}},
                  {"query"}),
           search_text),
      tool(ask, "similar", "Finds papers like the ones named.",
           schema({{"ids", ids_schema("ids of papers, as search gives them")}, {"n", count_schema()}},
                  {"ids"}),
           similar_text),
      tool(ask, "bibtex", "BibTeX entries of the papers named, ready for a .bib file.",
           schema({{"ids", ids_schema("ids of papers, as search gives them")}}, {"ids"}), bibtex_text),
  };
}

}  // namespace alcove::api
