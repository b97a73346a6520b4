#include "app/papers_output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/text_table.h"
#include "papers/export.h"

namespace alcove::app {
namespace {

constexpr std::size_t kNarrowest = 60;
constexpr std::size_t kFirstAuthors = 2;

struct Terminal {
  bool is_one = ::isatty(STDOUT_FILENO) == 1;

  std::size_t width() const {
    winsize size{};
    if (!is_one || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return SIZE_MAX;
    return std::max<std::size_t>(size.ws_col, kNarrowest);
  }
  std::string bold(const std::string& text) const { return is_one ? "\x1b[1m" + text + "\x1b[0m" : text; }
  std::string dim(const std::string& text) const { return is_one ? "\x1b[2m" + text + "\x1b[0m" : text; }
};

// Control characters of a title must not steer the terminal.
std::string printable(std::string_view text) {
  std::string clean;
  for (const char letter : text)
    clean += static_cast<unsigned char>(letter) < ' ' || letter == 0x7F ? ' ' : letter;
  return clean;
}

std::string shortened(const std::string& text, std::size_t width) {
  if (text.size() <= width) return text;
  auto end = width - 1;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string authors_of(const papers::Paper& paper) {
  const auto shown = std::min(kFirstAuthors, paper.authors.size());
  auto text = fmt::format("{}", fmt::join(paper.authors.begin(),
                                          paper.authors.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (paper.authors.size() > shown) text += " …";
  return printable(text);
}

std::string place_of(const papers::Paper& paper) {
  auto place = paper.venue;
  if (paper.year != 0 && place.find(std::to_string(paper.year)) == std::string::npos)
    place += fmt::format("{}{}", place.empty() ? "" : " ", paper.year);
  if (!paper.decision.empty()) place += ", " + paper.decision;
  return printable(place);
}

void print_explanation(const papers::Hit& hit, const Terminal& terminal) {
  if (!hit.explanation) return;
  std::vector<std::string> parts;
  if (hit.meaning_rank)
    parts.push_back(fmt::format("#{} by meaning (cosine {:.3f})", *hit.meaning_rank, *hit.cosine));
  if (hit.words_rank) parts.push_back(fmt::format("#{} by words", *hit.words_rank));
  std::vector<std::string> terms;
  for (const auto& term : hit.explanation->terms)
    terms.push_back(fmt::format("{} {:.0f} %", term.term, 100 * term.share));
  if (!terms.empty()) parts.push_back(fmt::format("{}", fmt::join(terms, ", ")));
  if (!hit.explanation->shared.empty())
    parts.push_back(fmt::format("shares {}", fmt::join(hit.explanation->shared, ", ")));
  fmt::print("    {}\n", terminal.dim(printable(fmt::format("{}", fmt::join(parts, "; ")))));
  if (!hit.explanation->best_sentence.empty())
    fmt::print("    {}\n", terminal.dim("“" + printable(hit.explanation->best_sentence) + "”"));
}

void print_hits(const papers::SearchResult& result, std::size_t first, const Terminal& terminal) {
  const auto width = terminal.width();
  for (std::size_t i = 0; i < result.hits.size(); ++i) {
    const auto& hit = result.hits[i];
    const auto near = hit.cosine ? fmt::format("  {:.3f}", *hit.cosine) : "";
    fmt::print("{:>3} {}\n", first + i + 1,
               terminal.bold(shortened(printable(hit.paper.title), width == SIZE_MAX ? width : width - 4)));
    fmt::print("    {}\n", shortened(fmt::format("{} — {}{}  [{}]", authors_of(hit.paper),
                                                 place_of(hit.paper), near, printable(hit.paper.id)),
                                     width == SIZE_MAX ? width : width - 4));
    print_explanation(hit, terminal);
  }
}

void print_facets(const papers::Facets& facets) {
  const std::pair<const char*, const std::vector<papers::FacetValue>*> all[] = {
      {"venue", &facets.venues}, {"year", &facets.years},       {"decision", &facets.decisions},
      {"area", &facets.areas},   {"keyword", &facets.keywords}, {"author", &facets.authors}};
  for (const auto& [name, values] : all) {
    if (values->empty()) continue;
    std::vector<std::string> counts;
    for (const auto& value : *values)
      counts.push_back(fmt::format("{} {}", printable(value.value), value.count));
    fmt::print("{:>9}: {}\n", name, fmt::join(counts, " · "));
  }
}

// "0 papers match; 14 match without author:smith"
void print_relaxations(const papers::SearchResult& result) {
  std::vector<std::string> ways;
  for (const auto& relaxation : result.relaxations) {
    std::vector<std::string> left_out;
    for (const auto& condition : relaxation.without) left_out.push_back(papers::to_text(condition));
    ways.push_back(fmt::format("{} would without {}", relaxation.papers, fmt::join(left_out, " and ")));
  }
  fmt::print(stderr, "no paper matches{}{}\n", ways.empty() ? "" : "; ", fmt::join(ways, ", "));
}

template <class T>
void put(Json& object, const char* key, const std::optional<T>& value) {
  if (value) object[key] = *value;
}

Json counts(const std::vector<papers::FacetValue>& values) {
  Json array = Json::array();
  for (const auto& value : values) array.push_back(Json{{"value", value.value}, {"count", value.count}});
  return array;
}

Json hit_json(const papers::Hit& hit, std::size_t place) {
  Json object{{"rank", place}, {"score", hit.score}};
  put(object, "cosine", hit.cosine);
  put(object, "similarity", hit.similarity());
  put(object, "meaning_rank", hit.meaning_rank);
  put(object, "words_rank", hit.words_rank);
  if (hit.explanation) {
    auto& why = object["explanation"];
    why["terms"] = Json::array();
    for (const auto& term : hit.explanation->terms)
      why["terms"].push_back(Json{{"term", term.term}, {"share", term.share}});
    why["best_sentence"] = hit.explanation->best_sentence;
    if (!hit.explanation->shared.empty()) why["shared"] = hit.explanation->shared;
  }
  object.update(papers::to_json(hit.paper));
  return object;
}

}  // namespace

Json to_json(const papers::SearchResult& result) {
  Json object{{"total", result.total}, {"mode", papers::name_of(result.mode)}, {"notes", result.notes}};
  object["hits"] = Json::array();
  for (const auto& hit : result.hits) object["hits"].push_back(hit_json(hit, object["hits"].size() + 1));
  if (!result.facets.years.empty() || !result.facets.venues.empty())
    object["facets"] =
        Json{{"venue", counts(result.facets.venues)},       {"year", counts(result.facets.years)},
             {"decision", counts(result.facets.decisions)}, {"area", counts(result.facets.areas)},
             {"keyword", counts(result.facets.keywords)},   {"author", counts(result.facets.authors)}};
  if (!result.relaxations.empty()) {
    object["relaxations"] = Json::array();
    for (const auto& relaxation : result.relaxations) {
      Json without = Json::array();
      for (const auto& condition : relaxation.without) without.push_back(papers::to_text(condition));
      object["relaxations"].push_back(Json{{"without", without}, {"papers", relaxation.papers}});
    }
  }
  return object;
}

void print_result(const papers::SearchResult& result, const std::string& format,
                  const papers::SearchRequest& request) {
  for (const auto& note : result.notes) fmt::print(stderr, "{}\n", printable(note));
  if (result.total == 0) print_relaxations(result);
  if (format == "json") {
    fmt::print("{}\n", to_text(to_json(result), 2));
    return;
  }
  if (const auto exported = papers::export_format(format)) {
    std::vector<papers::Paper> papers;
    for (const auto& hit : result.hits) papers.push_back(hit.paper);
    fmt::print("{}", papers::export_papers(papers, *exported));
    return;
  }
  const Terminal terminal;
  print_hits(result, request.offset, terminal);
  print_facets(result.facets);
  if (result.total > result.hits.size())
    fmt::print(stderr, "{} of {} papers\n", result.hits.size(), result.total);
}

}  // namespace alcove::app
