#include "papers/readers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/csv.h"
#include "papers/formats.h"
#include "papers/names.h"
#include "text/fold.h"

namespace alcove::papers {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 30;

struct Format {
  std::string_view ending;
  bool (*is_one)(std::string_view start);  // of the first bytes, blanks skipped
  Result<ReadPapers> (*read)(std::string_view content);
};

bool is_json(std::string_view start) { return start.starts_with('{') || start.starts_with('['); }
bool is_bibtex(std::string_view start) {
  return start.starts_with('@') || (start.starts_with('%') && start.find("\n@") != std::string_view::npos);
}
bool is_ris(std::string_view start) { return start.starts_with("TY  -"); }
// The last resort: a first line with a title in it.
bool is_csv(std::string_view start) {
  return text::fold(start.substr(0, start.find('\n'))).find("title") != std::string::npos;
}

constexpr std::array kFormats{
    Format{".json", is_json, read_json_papers},    Format{".jsonl", is_json, read_json_papers},
    Format{".bib", is_bibtex, read_bibtex_papers}, Format{".ris", is_ris, read_ris_papers},
    Format{".csv", is_csv, read_csv_papers},       Format{".tsv", is_csv, read_csv_papers},
};

const Format* format_of(std::string_view content, std::string_view name) {
  auto start = content.substr(0, 4'096);
  if (start.starts_with("\xEF\xBB\xBF")) start.remove_prefix(3);
  start.remove_prefix(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  for (const auto& format : kFormats)
    if (format.is_one(start)) return &format;
  const auto lower = text::fold(name);
  for (const auto& format : kFormats)
    if (lower.ends_with(format.ending)) return &format;
  return nullptr;
}

// paperlists has a file for each venue and year, "nips2024.json", whose entries do not repeat it.
std::string venue_of_file(std::string_view name) {
  const auto slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  const auto stem = name.substr(0, name.find('.'));
  const auto digits = stem.find_first_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || stem.size() != digits + 4 || !year_in(stem))
    return "";
  std::string host(stem.substr(0, digits));
  if (host.find_first_not_of("abcdefghijklmnopqrstuvwxyz") != std::string::npos) return "";
  std::ranges::transform(host, host.begin(),
                         [](char letter) { return static_cast<char>(letter - 'a' + 'A'); });
  return fmt::format("{} {}", host == "NIPS" ? "NeurIPS" : host, stem.substr(digits));
}

// Names for papers that came without one. The same title by the same author gets the same name.
class Namer {
 public:
  std::string name(const Paper& paper) {
    auto& name = by_title_[paper.title + '\n' + (paper.authors.empty() ? "" : paper.authors.front())];
    if (!name.empty()) return name;
    const auto base = name_for(paper);
    const auto count = ++used_[base];
    return name = count == 1 ? base : fmt::format("{}-{}", base, count);
  }

 private:
  std::unordered_map<std::string, std::string> by_title_;
  std::unordered_map<std::string, int> used_;
};

// Gives every paper an id; of two with one id the later stays, in the place of the earlier.
void settle_ids(ReadPapers& read) {
  Namer namer;
  std::unordered_map<std::string, std::size_t> places;
  std::vector<Paper> settled;
  settled.reserve(read.papers.size());
  for (auto& paper : read.papers) {
    if (paper.id.empty()) paper.id = namer.name(paper);
    const auto [place, is_new] = places.emplace(paper.id, settled.size());
    if (is_new) {
      settled.push_back(std::move(paper));
      continue;
    }
    read.findings.push_back({paper.id, "is there more than once; the last one counts"});
    settled[place->second] = std::move(paper);
  }
  read.papers = std::move(settled);
}

std::vector<std::string> split_names(const std::string& text) {
  if (text.find(';') != std::string::npos) return split_list(text, ';');
  if (text.find(" and ") != std::string::npos) {
    std::string parted = text;
    for (std::size_t at; (at = parted.find(" and ")) != std::string::npos;) parted.replace(at, 5, ";");
    return split_list(parted, ';');
  }
  auto parts = split_list(text, ',');
  // "Last, First" is one name; "Ann A, Bo B" are two.
  const bool are_names =
      std::ranges::all_of(parts, [](const std::string& part) { return part.find(' ') != std::string::npos; });
  if (parts.size() > 1 && !are_names) return {tidy(text)};
  return parts;
}

// The first of several spellings that has a value.
std::string first_of(const std::map<std::string, std::string>& fields,
                     std::initializer_list<const char*> names) {
  for (const auto* name : names)
    if (const auto found = fields.find(name); found != fields.end())
      if (auto value = tidy(found->second); !value.empty()) return value;
  return "";
}

std::string kind_of(const std::string& type) {
  const auto lower = text::fold(type);
  for (const auto* word : {"article", "journal", "jour"})
    if (lower.find(word) != std::string::npos) return "article";
  for (const auto* word : {"conf", "proceedings"})
    if (lower.find(word) != std::string::npos) return "inproceedings";
  return lower.empty() ? "" : "misc";
}

}  // namespace

Paper paper_from_fields(const std::map<std::string, std::string>& fields) {
  Paper paper;
  paper.id = first_of(fields, {"id", "paper_id", "paperid", "key", "note_id"});
  paper.title = first_of(fields, {"title", "paper title", "paper_title"});
  paper.abstract = first_of(fields, {"abstract", "summary"});
  for (const auto& name : split_names(first_of(fields, {"authors", "author"})))
    paper.authors.push_back(first_last(name));
  const auto keywords = first_of(fields, {"keywords", "keyword", "tags"});
  paper.keywords = split_list(keywords, keywords.find(';') == std::string::npos ? ',' : ';');
  auto [venue, decision] =
      read_venue(first_of(fields, {"venue", "booktitle", "journal", "conference", "publication"}));
  paper.venue = std::move(venue);
  paper.venue_id = first_of(fields, {"venue_id", "venueid"});
  paper.decision = first_of(fields, {"decision", "status"});
  if (paper.decision.empty()) paper.decision = std::move(decision);
  paper.decision = text::fold(paper.decision);
  paper.area = first_of(fields, {"area", "primary_area", "primary area"});
  paper.summary = first_of(fields, {"tldr", "tl;dr", "one-sentence_summary"});
  paper.kind = kind_of(first_of(fields, {"kind", "type"}));
  paper.doi = first_of(fields, {"doi"});
  paper.url = first_of(fields, {"url", "link", "site", "forum_url"});
  paper.pdf = first_of(fields, {"pdf", "pdf_url"});
  paper.bibtex = first_of(fields, {"bibtex", "_bibtex"});
  const auto year = year_in(first_of(fields, {"year", "date", "published"}));
  paper.year = year.value_or(year_in(paper.venue).value_or(year_in(paper.venue_id).value_or(0)));
  return paper;
}

Result<ReadPapers> read_csv_papers(std::string_view content) {
  const auto rows = TRY(read_csv(content));
  ReadPapers read;
  if (rows.empty()) return read;
  std::vector<std::string> names;
  for (const auto& name : rows.front().cells) names.push_back(text::fold(tidy(name)));
  for (std::size_t i = 1; i < rows.size(); ++i) {
    std::map<std::string, std::string> fields;
    for (std::size_t k = 0; k < std::min(names.size(), rows[i].cells.size()); ++k)
      fields.emplace(names[k], rows[i].cells[k]);
    auto paper = paper_from_fields(fields);
    if (paper.title.empty())
      read.findings.push_back({fmt::format("line {}", rows[i].line), "no title; left out"});
    else
      read.papers.push_back(std::move(paper));
  }
  return read;
}

Result<ReadPapers> read_papers(std::string_view content, std::string_view file_name) {
  if (content.size() > kMaxFile)
    return fail(ErrorKind::TooLarge, fmt::format("{} is larger than 1 GiB; split it", file_name));
  const auto* format = format_of(content, file_name);
  if (format == nullptr)
    return fail(
        ErrorKind::Unreadable,
        fmt::format(
            "{} is no list of papers; known are OpenReview notes, paperlists, JSON, JSONL, CSV with a "
            "heading, BibTeX and RIS",
            file_name));
  auto read = format->read(content);
  if (!read) return fail_in(std::string(file_name), std::move(read).error());
  const auto venue = venue_of_file(file_name);
  for (auto& paper : read->papers) {
    if (paper.venue.empty()) paper.venue = venue;
    if (paper.year == 0) paper.year = year_in(paper.venue).value_or(0);
  }
  settle_ids(*read);
  if (read->papers.empty() && !read->findings.empty())
    return fail(ErrorKind::Unreadable,
                fmt::format("{} holds no paper that can be read; {}: {}", file_name,
                            read->findings.front().where, read->findings.front().message));
  return read;
}

}  // namespace alcove::papers
