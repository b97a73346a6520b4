#include "papers/paper.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/sha256.h"
#include "papers/names.h"
#include "text/fold.h"

namespace alcove::papers {
namespace {

// How a venue's text begins or ends, and the decision that says; OpenReview's words.
struct Mark {
  std::string_view words;
  std::string_view decision;
};
constexpr std::array kPrefixes{Mark{"submitted to ", "submitted"}};
constexpr std::array kSuffixes{
    Mark{" withdrawn submission", "withdrawn"},
    Mark{" desk rejected submission", "desk rejected"},
    Mark{" rejected submission", "rejected"},
    Mark{" oral", "oral"},
    Mark{" spotlight", "spotlight"},
    Mark{" spotlightposter", "spotlight"},
    Mark{" notable top 5%", "oral"},
    Mark{" notable top 25%", "spotlight"},
    Mark{" poster", "poster"},
    Mark{" reject", "rejected"},
    Mark{" rejected", "rejected"},
    Mark{" withdrawn", "withdrawn"},
    Mark{" submission", "submitted"},
};

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

std::string ascii_letters(std::string_view text) {
  std::string kept;
  for (const char letter : text::fold(text))
    if (is_digit(letter) || (letter >= 'a' && letter <= 'z')) kept += letter;
  return kept;
}

}  // namespace

VenueText read_venue(std::string_view text) {
  VenueText read{tidy(text), ""};
  const auto lower = text::fold(read.venue);
  if (lower.size() != read.venue.size()) return read;  // positions differ; no venue we know is spelt so
  for (const auto& mark : kPrefixes)
    if (lower.starts_with(mark.words))
      return {read.venue.substr(mark.words.size()), std::string(mark.decision)};
  for (const auto& mark : kSuffixes)
    if (lower.ends_with(mark.words)) {
      read.decision = mark.decision;
      read.venue.resize(read.venue.size() - mark.words.size());
      break;
    }
  // "ICLR 2024 Conference Withdrawn Submission"
  if (!read.decision.empty() && read.venue.ends_with(" Conference"))
    read.venue.resize(read.venue.size() - std::string_view(" Conference").size());
  return read;
}

std::optional<int> year_in(std::string_view text) {
  std::optional<int> found;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_digit(text[at])) {
      ++at;
      continue;
    }
    auto end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end - at == 4) {
      const int year = std::stoi(std::string(text.substr(at, 4)));
      if (year >= 1800 && year < 2200) found = year;
    }
    at = end;
  }
  return found;
}

std::string name_for(const Paper& paper) {
  auto name = paper.authors.empty() ? std::string() : ascii_letters(family_name(paper.authors.front()));
  if (paper.year != 0) name += std::to_string(paper.year);
  const auto words = text::folded_words(paper.title);
  const auto word =
      std::ranges::find_if(words, [](const std::string& each) { return ascii_letters(each).size() > 3; });
  if (word != words.end())
    name += ascii_letters(*word);
  else
    for (const auto& each : words) name += ascii_letters(each);
  return name.empty() ? "paper" : name;
}

std::string text_hash(const Paper& paper) {
  Sha256 hash;
  // Each field with its length, so that no two papers run together.
  const auto add = [&](std::string_view field) {
    hash.add(as_bytes(fmt::format("{}:", field.size())));
    hash.add(as_bytes(field));
  };
  const auto add_list = [&](const std::vector<std::string>& list) {
    hash.add(as_bytes(fmt::format("{}#", list.size())));
    for (const auto& each : list) add(each);
  };
  for (const auto* field :
       {&paper.id, &paper.title, &paper.abstract, &paper.venue, &paper.venue_id, &paper.decision, &paper.area,
        &paper.summary, &paper.kind, &paper.doi, &paper.url, &paper.pdf, &paper.bibtex})
    add(*field);
  for (const auto* list : {&paper.authors, &paper.author_ids, &paper.keywords}) add_list(*list);
  add(std::to_string(paper.year));
  return hash.hex();
}

std::string tidy(std::string_view text) {
  std::string tidied;
  bool blank = false;
  for (const char letter : text) {
    if (static_cast<unsigned char>(letter) <= ' ' || letter == 0x7F) {
      blank = !tidied.empty();
      continue;
    }
    if (blank) tidied += ' ';
    blank = false;
    tidied += letter;
  }
  return tidied;
}

std::vector<std::string> split_list(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    if (auto part = tidy(text.substr(0, end)); !part.empty()) parts.push_back(std::move(part));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace alcove::papers
