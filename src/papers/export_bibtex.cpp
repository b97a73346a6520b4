#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "papers/export.h"
#include "papers/formats.h"
#include "papers/latex.h"
#include "papers/names.h"

namespace alcove::papers {
namespace {

// "vaswani2017attention", then "vaswani2017attention-b", "-c", … "-z", "-27".
std::string unique_key(const Paper& paper, std::set<std::string>& taken) {
  const auto base = name_for(paper);
  auto key = base;
  for (int n = 1; !taken.insert(key).second; ++n)
    key = n < 26 ? fmt::format("{}-{}", base, static_cast<char>('a' + n)) : fmt::format("{}-{}", base, n + 1);
  return key;
}

std::string author_text(const Paper& paper) {
  std::string text;
  for (const auto& author : paper.authors) {
    const auto parts = name_parts(author);
    if (!text.empty()) text += " and ";
    // A name of one word in braces, so that BibTeX takes it as it is; so is one with an "and" or comma in it.
    if (parts.given.empty() || author.find(" and ") != std::string::npos)
      text += fmt::format("{{{}}}", to_latex(author));
    else
      text += fmt::format("{}, {}", to_latex(parts.family), to_latex(parts.given));
  }
  return text;
}

std::string built_entry(const Paper& paper, const std::string& key) {
  const bool is_article = paper.kind == "article";
  std::string text = fmt::format("@{}{{{},\n",
                                 is_article             ? "article"
                                 : paper.kind == "misc" ? "misc"
                                                        : "inproceedings",
                                 key);
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format("  {:<9} = {{{}}},\n", name, value);
  };
  add("title", to_latex_title(tidy(paper.title)));
  add("author", author_text(paper));
  add(is_article ? "journal" : "booktitle", to_latex(paper.venue));
  add("year", paper.year == 0 ? "" : std::to_string(paper.year));
  add("doi", to_latex(paper.doi));
  add("url", to_latex(paper.url));
  std::vector<std::string> keywords;
  for (const auto& keyword : paper.keywords) keywords.push_back(to_latex(keyword));
  add("keywords", fmt::format("{}", fmt::join(keywords, ", ")));
  return text + "}\n";
}

// The venue's own entry under our key; nothing when it is not exactly one sound entry.
std::string given_entry(const Paper& paper, const std::string& key) {
  const auto read = read_bibtex_papers(paper.bibtex);
  const auto opens = paper.bibtex.find('{');
  const auto comma = paper.bibtex.find(',');
  if (!read || read->papers.size() != 1 || !read->findings.empty() || comma == std::string::npos ||
      opens > comma)
    return "";
  return paper.bibtex.substr(0, opens + 1) + key + paper.bibtex.substr(comma) + "\n";
}

}  // namespace

std::string to_bibtex(std::span<const Paper> papers) {
  std::set<std::string> taken;
  std::string text;
  for (const auto& paper : papers) {
    const auto key = unique_key(paper, taken);
    auto entry = paper.bibtex.empty() ? "" : given_entry(paper, key);
    text += (entry.empty() ? built_entry(paper, key) : entry) + "\n";
  }
  return text;
}

}  // namespace alcove::papers
