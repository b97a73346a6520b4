#include "papers/export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/csv.h"
#include "papers/names.h"

namespace alcove::papers {
namespace {

struct Name {
  std::string_view name;
  ExportFormat format;
};
constexpr std::array kNames{
    Name{"json", ExportFormat::Json},   Name{"jsonl", ExportFormat::JsonLines},
    Name{"csv", ExportFormat::Csv},     Name{"bib", ExportFormat::Bibtex},
    Name{"ris", ExportFormat::Ris},     Name{"csl-json", ExportFormat::CslJson},
    Name{"md", ExportFormat::Markdown},
};

std::string year_text(const Paper& paper) { return paper.year == 0 ? "" : std::to_string(paper.year); }
bool is_article(const Paper& paper) { return paper.kind == "article"; }

std::string to_csv(std::span<const Paper> papers) {
  std::string text = "id,title,authors,venue,year,decision,area,keywords,abstract,tldr,kind,doi,url,pdf\r\n";
  for (const auto& paper : papers)
    text += csv_row({paper.id, paper.title, fmt::format("{}", fmt::join(paper.authors, "; ")), paper.venue,
                     year_text(paper), paper.decision, paper.area,
                     fmt::format("{}", fmt::join(paper.keywords, "; ")), paper.abstract, paper.summary,
                     paper.kind, paper.doi, paper.url, paper.pdf}) +
            "\r\n";
  return text;
}

void add_ris_line(std::string& text, std::string_view tag, std::string_view value) {
  if (!value.empty()) text += fmt::format("{}  - {}\r\n", tag, value);
}

std::string to_ris(const Paper& paper) {
  std::string text;
  add_ris_line(text, "TY", is_article(paper) ? "JOUR" : "CONF");
  add_ris_line(text, "ID", paper.id);
  add_ris_line(text, "TI", tidy(paper.title));
  for (const auto& author : paper.authors) {
    const auto parts = name_parts(author);
    add_ris_line(text, "AU", parts.given.empty() ? parts.family : parts.family + ", " + parts.given);
  }
  add_ris_line(text, "PY", year_text(paper));
  add_ris_line(text, is_article(paper) ? "JO" : "T2", paper.venue);
  add_ris_line(text, "AB", tidy(paper.abstract));
  for (const auto& keyword : paper.keywords) add_ris_line(text, "KW", keyword);
  add_ris_line(text, "DO", paper.doi);
  add_ris_line(text, "UR", paper.url);
  add_ris_line(text, "L1", paper.pdf);
  return text + "ER  - \r\n";
}

void put(Json& object, const char* key, const std::string& value) {
  if (!value.empty()) object[key] = value;
}

Json to_csl(const Paper& paper) {
  Json object{{"id", paper.id}, {"type", is_article(paper) ? "article-journal" : "paper-conference"}};
  put(object, "title", paper.title);
  for (const auto& author : paper.authors) {
    const auto parts = name_parts(author);
    object["author"].push_back(parts.given.empty() ? Json{{"literal", parts.family}}
                                                   : Json{{"family", parts.family}, {"given", parts.given}});
  }
  if (paper.year != 0) object["issued"] = Json{{"date-parts", Json::array({Json::array({paper.year})})}};
  put(object, "container-title", paper.venue);
  put(object, "abstract", paper.abstract);
  put(object, "keyword", fmt::format("{}", fmt::join(paper.keywords, ", ")));
  put(object, "DOI", paper.doi);
  put(object, "URL", paper.url);
  return object;
}

// What Markdown would take for its own marks.
std::string to_markdown_text(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    if (std::string_view("\\`*_[]<>#|").find(letter) != std::string_view::npos) escaped += '\\';
    escaped += letter;
  }
  return escaped;
}

std::string to_markdown(const Paper& paper) {
  const auto title = to_markdown_text(tidy(paper.title));
  // An address of another kind than http is no link that somebody should click.
  const bool linked =
      paper.url.starts_with("http") && paper.url.find_first_of("()<> \n") == std::string::npos;
  std::string text = linked ? fmt::format("- [{}]({})", title, paper.url) : fmt::format("- **{}**", title);
  if (!paper.authors.empty())
    text += " — " + to_markdown_text(fmt::format("{}", fmt::join(paper.authors, ", ")));
  const auto year = paper.venue.find(year_text(paper)) == std::string::npos ? year_text(paper) : "";
  auto place = paper.venue;
  if (!year.empty()) place += place.empty() ? year : " " + year;
  if (!paper.decision.empty()) place += place.empty() ? paper.decision : ", " + paper.decision;
  if (!place.empty()) text += ". *" + to_markdown_text(place) + "*";
  return text + "\n";
}

template <class Each>
std::string joined(std::span<const Paper> papers, Each each) {
  std::string text;
  for (const auto& paper : papers) text += each(paper);
  return text;
}

template <class Each>
std::string as_array(std::span<const Paper> papers, Each each) {
  if (papers.empty()) return "[]\n";
  std::string text = "[\n";
  for (const auto& paper : papers) text += to_text(each(paper)) + (&paper == &papers.back() ? "\n" : ",\n");
  return text + "]\n";
}

}  // namespace

std::optional<ExportFormat> export_format(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name, &Name::name);
  return found == kNames.end() ? std::nullopt : std::optional(found->format);
}

std::string_view export_format_names() { return "json, jsonl, csv, bib, ris, csl-json or md"; }

Json to_json(const Paper& paper) {
  Json object{{"id", paper.id}, {"title", paper.title}};
  if (!paper.authors.empty()) object["authors"] = paper.authors;
  if (!paper.author_ids.empty()) object["author_ids"] = paper.author_ids;
  put(object, "venue", paper.venue);
  put(object, "venue_id", paper.venue_id);
  if (paper.year != 0) object["year"] = paper.year;
  put(object, "decision", paper.decision);
  put(object, "area", paper.area);
  if (!paper.keywords.empty()) object["keywords"] = paper.keywords;
  put(object, "abstract", paper.abstract);
  put(object, "tldr", paper.summary);
  put(object, "kind", paper.kind);
  put(object, "doi", paper.doi);
  put(object, "url", paper.url);
  put(object, "pdf", paper.pdf);
  put(object, "bibtex", paper.bibtex);
  if (paper.modified != 0) object["modified"] = paper.modified;
  return object;
}

std::string export_papers(std::span<const Paper> papers, ExportFormat format) {
  switch (format) {
    case ExportFormat::Json: return as_array(papers, to_json);
    case ExportFormat::JsonLines:
      return joined(papers, [](const Paper& paper) { return to_text(to_json(paper)) + "\n"; });
    case ExportFormat::Csv: return to_csv(papers);
    case ExportFormat::Bibtex: return to_bibtex(papers);
    case ExportFormat::Ris: return joined(papers, to_ris);
    case ExportFormat::CslJson: return as_array(papers, to_csl);
    case ExportFormat::Markdown: return joined(papers, to_markdown);
  }
  return "";
}

}  // namespace alcove::papers
