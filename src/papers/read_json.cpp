// Notes, lists and lines of JSON. The file is cut into its entries by their brackets and each is parsed
// alone: a list of 10,000 papers takes the memory of one, and a broken entry costs only itself.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "papers/formats.h"
#include "papers/names.h"
#include "text/fold.h"

namespace alcove::papers {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
}

// The first value of a text, by its brackets and quotes; parse_json() judges it later.
std::string_view first_value(std::string_view text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (quoted) {
      if (letter == '\\') ++i;
      if (letter == '"') quoted = false;
    } else if (letter == '"') {
      quoted = true;
    } else if (letter == '{' || letter == '[') {
      ++depth;
    } else if (letter == '}' || letter == ']') {
      if (depth == 0) return text.substr(0, i);
      if (--depth == 0) return text.substr(0, i + 1);
    } else if (letter == ',' && depth == 0) {
      return text.substr(0, i);
    }
  }
  return text;
}

// The entries of "[a, b, …]".
std::vector<std::string_view> items_of(std::string_view array) {
  std::vector<std::string_view> items;
  array.remove_prefix(1);
  for (;;) {
    skip_blanks(array);
    if (array.starts_with(',')) {
      array.remove_prefix(1);
      continue;
    }
    if (array.empty() || array.front() == ']' || array.front() == '}') return items;
    items.push_back(first_value(array));
    if (items.back().empty()) return items;
    array.remove_prefix(items.back().size());
  }
}

// Keys under which a list of papers is wrapped, such as in the reply {"notes": [...], "count": 2}.
constexpr std::string_view kWrappers[] = {"notes", "papers", "results", "data"};

// OpenReview's v2 wraps every field as {"value": …}; v1 and everybody else do not.
const Json* field(const Json& object, std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    const auto found = object.find(name);
    if (found == object.end()) continue;
    if (!found->is_object()) return &*found;
    if (const auto value = found->find("value"); value != found->end()) return &*value;
  }
  return nullptr;
}

std::string text_of(const Json* value) {
  if (value == nullptr) return "";
  if (value->is_string()) return tidy(value->get_ref<const std::string&>());
  if (value->is_number_integer()) return std::to_string(value->get<std::int64_t>());
  return "";
}

// A list of strings as one text, for paper_from_fields(); what holds a ";" of its own stays one value.
std::vector<std::string> list_of(const Json* value) {
  std::vector<std::string> list;
  if (value == nullptr || !value->is_array()) return list;
  for (const auto& item : *value) {
    auto text = text_of(item.is_object() ? field(item, {"fullname", "name"}) : &item);
    if (!text.empty()) list.push_back(std::move(text));
  }
  return list;
}

std::vector<std::string> author_ids_of(const Json& fields) {
  auto ids = list_of(field(fields, {"authorids", "author_ids"}));
  const auto* authors = field(fields, {"authors", "author"});
  if (ids.empty() && authors != nullptr && authors->is_array())
    for (const auto& author : *authors)
      if (author.is_object()) ids.push_back(text_of(field(author, {"username"})));
  return ids;
}

std::int64_t number_of(const Json* value) {
  return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : 0;
}

int year_of(std::int64_t milliseconds) {
  constexpr std::int64_t kFarFuture = 7'258'118'400'000;  // 2200
  if (milliseconds <= 0 || milliseconds >= kFarFuture) return 0;
  const std::chrono::sys_time<std::chrono::milliseconds> when{std::chrono::milliseconds(milliseconds)};
  return static_cast<int>(std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(when)).year());
}

// "ICLR.cc/2018/Conference" is "ICLR 2018" to people.
std::string venue_from_id(const std::string& id) {
  const auto year = year_in(id);
  const auto host = id.substr(0, id.find_first_of("./"));
  return year && !host.empty() ? fmt::format("{} {}", host, *year) : "";
}

void add_note_facts(Paper& paper, const Json& note) {
  if (paper.venue_id.empty()) {
    const auto* invitations = field(note, {"invitations"});
    const auto invitation = invitations != nullptr && invitations->is_array() && !invitations->empty()
                                ? text_of(&invitations->front())
                                : text_of(field(note, {"invitation"}));
    paper.venue_id = invitation.substr(0, invitation.find("/-/"));
  }
  if (paper.venue.empty()) paper.venue = venue_from_id(paper.venue_id);
  if (paper.year == 0) paper.year = year_in(paper.venue_id).value_or(0);
  if (paper.year == 0) paper.year = year_of(number_of(field(note, {"pdate", "odate", "cdate", "tcdate"})));
  paper.modified = number_of(field(note, {"tmdate", "mdate"}));
  if (paper.url.empty()) paper.url = "https://openreview.net/forum?id=" + paper.id;
  if (paper.pdf.starts_with('/')) paper.pdf = "https://openreview.net" + paper.pdf;
}

bool is_no_submission(const Json& note) {
  const auto reply_to = text_of(field(note, {"replyto"}));
  return number_of(field(note, {"ddate"})) != 0 ||
         (!reply_to.empty() && reply_to != text_of(field(note, {"id"})));
}

}  // namespace

std::optional<std::string_view> json_member(std::string_view object, std::string_view key) {
  skip_blanks(object);
  if (!object.starts_with('{')) return std::nullopt;
  do {
    object.remove_prefix(1);
    skip_blanks(object);
    const auto end = object.find('"', 1);
    if (!object.starts_with('"') || end == std::string_view::npos) return std::nullopt;
    const auto name = object.substr(1, end - 1);
    object.remove_prefix(end + 1);
    skip_blanks(object);
    if (!object.starts_with(':')) return std::nullopt;
    object.remove_prefix(1);
    skip_blanks(object);
    const auto value = first_value(object);
    if (name == key) return value;
    object.remove_prefix(value.size());
    skip_blanks(object);
  } while (object.starts_with(','));
  return std::nullopt;
}

std::vector<std::string_view> json_entries(std::string_view content) {
  skip_blanks(content);
  if (content.starts_with('[')) return items_of(content);
  std::vector<std::string_view> entries;
  while (!content.empty()) {
    const auto value = first_value(content);
    if (value.empty()) break;
    entries.push_back(value);
    content.remove_prefix(value.size());
    skip_blanks(content);
  }
  if (entries.size() == 1)
    for (const auto wrapper : kWrappers)
      if (const auto list = json_member(entries.front(), wrapper); list && list->starts_with('['))
        return items_of(*list);
  return entries;
}

std::optional<Paper> paper_from_json(const Json& object) {
  if (!object.is_object()) return std::nullopt;
  const auto content = object.find("content");
  const bool is_note = content != object.end() && content->is_object();
  if (is_note && is_no_submission(object)) return std::nullopt;
  const Json& source = is_note ? *content : object;

  std::map<std::string, std::string> fields;
  for (const auto& [name, unused] : source.items())
    fields.emplace(text::fold(name), text_of(field(source, {name.c_str()})));
  if (is_note) fields["id"] = text_of(field(object, {"id", "forum"}));
  auto paper = paper_from_fields(fields);
  if (paper.title.empty()) return std::nullopt;

  // Lists that came as lists are taken item by item: a keyword may hold a comma.
  if (auto authors = list_of(field(source, {"authors", "author"})); !authors.empty()) {
    paper.authors.clear();
    for (const auto& name : authors) paper.authors.push_back(first_last(name));
  }
  if (auto keywords = list_of(field(source, {"keywords", "keyword", "tags"})); !keywords.empty())
    paper.keywords = std::move(keywords);
  paper.author_ids = author_ids_of(source);
  if (paper.author_ids.size() != paper.authors.size()) paper.author_ids.clear();
  paper.modified = number_of(field(source, {"modified", "mdate"}));
  if (is_note) add_note_facts(paper, object);
  return paper;
}

Result<ReadPapers> read_json_papers(std::string_view content) {
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
  ReadPapers read;
  std::size_t number = 0;
  for (const auto entry : json_entries(content)) {
    ++number;
    const auto object = parse_json(entry);
    if (!object) {
      read.findings.push_back({fmt::format("entry {}", number), object.error().message + "; left out"});
      continue;
    }
    if (auto paper = paper_from_json(*object))
      read.papers.push_back(*std::move(paper));
    else if (!object->is_object() || (!object->contains("content") && !object->contains("replyto")))
      read.findings.push_back({fmt::format("entry {}", number), "no title; left out"});
  }
  return read;
}

}  // namespace alcove::papers
