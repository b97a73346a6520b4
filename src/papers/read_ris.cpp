// RIS: "TY  - JOUR", a tag of two letters a line, "ER  -" at the end of an entry.

#include <fmt/format.h>

#include "papers/formats.h"
#include "papers/names.h"

namespace alcove::papers {
namespace {

// Tags whose meaning is one field of formats.h; the first of several spellings in a file wins.
struct Tag {
  std::string_view tag;
  const char* field;
};
constexpr Tag kTags[] = {
    {"TY", "type"},     {"ID", "id"},       {"TI", "title"},   {"T1", "title"},     {"CT", "title"},
    {"AB", "abstract"}, {"N2", "abstract"}, {"PY", "year"},    {"Y1", "year"},      {"DA", "date"},
    {"T2", "venue"},    {"JO", "journal"},  {"JF", "journal"}, {"BT", "booktitle"}, {"JA", "publication"},
    {"UR", "url"},      {"L1", "pdf"},      {"DO", "doi"},
};

struct Entry {
  std::size_t line = 0;
  std::map<std::string, std::string> fields;
  std::vector<std::string> authors;
  std::vector<std::string> keywords;
  std::string* last = nullptr;  // that a line without a tag goes on with
};

void take(Entry& entry, std::string_view tag, std::string_view value) {
  entry.last = nullptr;
  if (tag == "AU" || tag == "A1") {
    if (auto name = first_last(value); !name.empty()) entry.authors.push_back(std::move(name));
  } else if (tag == "KW") {
    if (auto word = tidy(value); !word.empty()) entry.keywords.push_back(std::move(word));
  }
  for (const auto& known : kTags)
    if (known.tag == tag) {
      const auto [place, is_new] = entry.fields.emplace(known.field, value);
      if (is_new) entry.last = &place->second;
    }
}

void finish(Entry& entry, ReadPapers& read) {
  if (entry.line == 0) return;
  auto paper = paper_from_fields(entry.fields);
  paper.authors = std::move(entry.authors);
  paper.keywords = std::move(entry.keywords);
  if (paper.title.empty())
    read.findings.push_back({fmt::format("line {}", entry.line), "no title; left out"});
  else
    read.papers.push_back(std::move(paper));
  entry = {};
}

bool has_tag(std::string_view line) {
  const auto is_tag_letter = [](char letter) {
    return (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
  };
  return line.size() >= 5 && is_tag_letter(line[0]) && is_tag_letter(line[1]) && line.substr(2, 3) == "  -";
}

}  // namespace

Result<ReadPapers> read_ris_papers(std::string_view content) {
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
  ReadPapers read;
  Entry entry;
  for (std::size_t number = 1; !content.empty(); ++number) {
    const auto end = std::min(content.find('\n'), content.size());
    auto line = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!has_tag(line)) {
      if (entry.last != nullptr) *entry.last += " " + std::string(line);
      continue;
    }
    const auto tag = line.substr(0, 2);
    if (tag == "TY" || tag == "ER") finish(entry, read);
    if (tag == "ER") continue;
    if (entry.line == 0) entry.line = number;
    take(entry, tag, line.substr(5));
  }
  finish(entry, read);
  return read;
}

}  // namespace alcove::papers
