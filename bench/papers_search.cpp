// What script/bench papers-search and search-quality measure.
//
//   alcove_search_bench vectors ROWS.f32 WIDTH QUERIES.f32 SHARE   the nearest ten of the first SHARE of each
//   hundred rows alcove_search_bench papers FILE.jsonl FOLDER                   whole searches over an index
//   made of the file alcove_search_bench quality FOLDER MODEL QUERIES.jsonl WEIGHT  at which rank each mode
//   finds the paper that was meant
//
// Prints JSON. Vectors of `papers` are made up from the words, 768 wide: what a model costs is measured
// elsewhere.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/mapped_file.h"
#include "papers/finder.h"
#include "papers/importer.h"
#include "papers/readers.h"
#include "papers/testing.h"
#include "store/paper_folder.h"

namespace {

using namespace alcove;
using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

Result<std::vector<float>> read_floats(const char* name) {
  const auto file = TRY(MappedFile::open(name));
  std::vector<float> values(file.bytes().size() / sizeof(float));
  std::memcpy(values.data(), file.bytes().data(), values.size() * sizeof(float));
  return values;
}

Result<Json> time_vectors(char** arguments) {
  const auto width = std::strtoull(arguments[1], nullptr, 10);
  const auto share = std::strtoull(arguments[3], nullptr, 10);
  auto rows = TRY(read_floats(arguments[0]));
  const auto table = TRY(store::VectorTable::make(width, std::move(rows)));
  const auto queries = TRY(read_floats(arguments[2]));
  store::RowFilter filter;
  if (share < 100)
    for (std::size_t row = 0; row < table.rows(); ++row) filter.push_back(row % 100 < share);
  Json found = Json::array(), times = Json::array();
  for (std::size_t at = 0; at + width <= queries.size(); at += width) {
    const auto query = std::span(queries).subspan(at, width);
    const auto start = Clock::now();
    const auto near = table.nearest(query, 10, filter);
    times.push_back(microseconds_since(start));
    Json nearest = Json::array();
    for (const auto& each : near) nearest.push_back(each.row);
    found.push_back(std::move(nearest));
  }
  return Json{{"instructions", store::vector_instructions()}, {"microseconds", times}, {"found", found}};
}

struct Timed {
  const char* name;
  papers::SearchRequest request;
};

std::vector<Timed> requests() {
  const papers::Condition venue{.field = papers::Field::Venue, .value = "NeurIPS"};
  const papers::Condition year{.field = papers::Field::Year, .value = ">=2020", .from = 2020};
  return {
      {"words", {.mode = papers::Mode::Words}},
      {"meaning", {.mode = papers::Mode::Meaning}},
      {"both", {.mode = papers::Mode::Both}},
      {"both, two filters", {.query = {.conditions = {venue, year}}, .mode = papers::Mode::Both}},
      {"meaning, two filters", {.query = {.conditions = {venue, year}}, .mode = papers::Mode::Meaning}},
      {"facets of everything", {.limit = 1, .facet_values = 20}},
  };
}

Result<Json> time_papers(char** arguments) {
  const auto file = TRY(MappedFile::open(arguments[0]));
  const auto read = TRY(papers::read_papers(as_text(file.bytes()), arguments[0]));
  const auto embedder = std::make_shared<papers::WordEmbedder>("bench", 768);
  auto start = Clock::now();
  TRY(papers::import_papers({arguments[1], embedder.get(), "", {}}, read.papers));
  Json result{{"papers", read.papers.size()}, {"import_seconds", microseconds_since(start) / 1e6}};
  result["index_bytes"] = std::filesystem::file_size(store::PaperFolder(arguments[1]).current());
  start = Clock::now();
  const auto finder = TRY(papers::Finder::load(arguments[1], embedder));
  result["load_seconds"] = microseconds_since(start) / 1e6;
  for (auto& [name, request] : requests()) {
    Json times = Json::array();
    const bool is_listing = request.facet_values > 0;
    for (std::size_t i = 0; i < 300; ++i) {
      // Five words of a title and a sentence: what people type.
      const auto& paper = read.papers[i * 7919 % read.papers.size()];
      if (!is_listing) request.query.text = paper.title.substr(0, paper.title.rfind(' '));
      start = Clock::now();
      const auto found = TRY(finder->search(request));
      times.push_back(microseconds_since(start));
    }
    result["microseconds"][name] = std::move(times);
  }
  return result;
}

// Ranks past this one count as not found.
constexpr std::size_t kDeepest = 100;

Result<Json> rank_queries(char** arguments) {
  const std::shared_ptr<papers::Embedder> embedder = TRY(papers::load_embedder({.model = arguments[1]}));
  const auto finder = TRY(papers::Finder::load(arguments[0], embedder));
  const auto file = TRY(MappedFile::open(arguments[2]));
  const double weight = std::strtod(arguments[3], nullptr);
  Json rows = Json::array();
  for (auto text = as_text(file.bytes()); !text.empty();) {
    const auto end = std::min(text.find('\n'), text.size());
    auto row = TRY(parse_json(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto query = TRY(papers::read_query(row["query"].get<std::string>()));
    for (const auto mode : {papers::Mode::Words, papers::Mode::Meaning, papers::Mode::Both}) {
      const auto found =
          TRY(finder->search({.query = query, .mode = mode, .weight = weight, .limit = kDeepest}));
      std::size_t rank = 0;
      for (std::size_t i = 0; i < found.hits.size() && rank == 0; ++i)
        if (found.hits[i].paper.id == row["paper"]) rank = i + 1;
      row[std::string(papers::name_of(mode))] = rank;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view kind = count > 1 ? arguments[1] : "";
  Result<Json> result = fail(ErrorKind::BadInput, "usage: see the top of bench/papers_search.cpp");
  if (kind == "vectors" && count == 6) result = time_vectors(arguments + 2);
  if (kind == "papers" && count == 4) result = time_papers(arguments + 2);
  if (kind == "quality" && count == 6) result = rank_queries(arguments + 2);
  if (!result) {
    fmt::print(stderr, "{}\n", result.error().message);
    return 1;
  }
  fmt::print("{}\n", to_text(*result));
  return 0;
}
