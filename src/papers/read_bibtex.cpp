// BibTeX: entries, @string, "#", values in braces or quotes. An entry that cannot be read costs only itself.

#include <fmt/format.h>

#include <algorithm>

#include "papers/formats.h"
#include "papers/latex.h"
#include "papers/names.h"
#include "text/fold.h"

namespace alcove::papers {
namespace {

bool is_blank(char letter) { return static_cast<unsigned char>(letter) <= ' '; }

// "A and {B and C}": names are parted where no brace is open.
std::vector<std::string> split_authors(std::string_view value) {
  std::vector<std::string> names;
  std::string name;
  int depth = 0;
  const auto end_name = [&] {
    if (auto tidied = tidy(name); !tidied.empty() && tidied != "others") names.push_back(std::move(tidied));
    name.clear();
  };
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '{') ++depth;
    if (value[i] == '}') --depth;
    if (depth == 0 && is_blank(value[i]) && value.size() - i > 4 && value.substr(i + 1, 3) == "and" &&
        is_blank(value[i + 4])) {
      end_name();
      i += 3;
      continue;
    }
    name += value[i];
  }
  end_name();
  return names;
}

// A "~" or "_" of an address is itself.
bool is_address(std::string_view field) {
  return field == "url" || field == "doi" || field == "pdf" || field == "link";
}
std::string without_marks(std::string text) {
  std::erase_if(text, [](char letter) { return letter == '\\' || letter == '{' || letter == '}'; });
  return text;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  ReadPapers parse() {
    while (to_next_entry()) {
      const auto line = line_;
      if (const auto failure = entry(); !failure) {
        read_.findings.push_back({fmt::format("line {}", line), failure.error().message + "; left out"});
      }
    }
    return std::move(read_);
  }

 private:
  using Step = Result<void>;
  using Value = Result<std::string>;

  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  char take() {
    if (text_[at_] == '\n') ++line_;
    return text_[at_++];
  }
  void skip_blanks() {
    while (!at_end() && is_blank(peek())) take();
  }

  // What stands between entries is comment. An "@" counts at a line's start or after a blank or a bracket: an
  // e-mail address is no entry.
  bool to_next_entry() {
    for (; !at_end(); take())
      if (peek() == '@' &&
          (at_ == 0 || is_blank(text_[at_ - 1]) || text_[at_ - 1] == '}' || text_[at_ - 1] == ')')) {
        take();
        return true;
      }
    return false;
  }

  std::string word() {
    std::string word;
    while (!at_end() && !is_blank(peek()) &&
           std::string_view("{}(),=#\"@").find(peek()) == std::string_view::npos)
      word += take();
    return word;
  }

  Step expect(std::string_view letters) {
    skip_blanks();
    if (at_end() || letters.find(peek()) == std::string_view::npos)
      return fail(ErrorKind::Unreadable, fmt::format("line {}: no \"{}\" where one belongs", line_, letters));
    take();
    return {};
  }

  Step entry() {
    const auto kind = text::fold(word());
    if (kind == "comment" || kind == "preamble") return {};
    TRY(expect("{("));
    if (kind == "string") return abbreviation();
    skip_blanks();
    const auto key = word();
    std::map<std::string, std::string> fields{{"type", kind}};
    std::vector<std::string> authors;
    for (;;) {
      skip_blanks();
      if (peek() == ',') {
        take();
        continue;
      }
      if (peek() == '}' || peek() == ')') break;
      const auto name = text::fold(word());
      if (name.empty()) return fail(ErrorKind::Unreadable, fmt::format("line {}: no field's name", line_));
      TRY(expect("="));
      const auto value = TRY(concatenation());
      if (name == "author") authors = split_authors(value);
      fields.emplace(name, is_address(name) ? without_marks(value) : from_latex(value));
    }
    take();
    add(key, std::move(fields), authors);
    return {};
  }

  Step abbreviation() {
    skip_blanks();
    const auto name = text::fold(word());
    TRY(expect("="));
    strings_[name] = TRY(concatenation());
    return expect("})");
  }

  // value # value
  Value concatenation() {
    auto value = TRY(single_value());
    for (skip_blanks(); peek() == '#'; skip_blanks()) {
      take();
      value += TRY(single_value());
      if (value.size() > kMaxValue) return fail(ErrorKind::TooLarge, "a field over 1 MiB");
    }
    return value;
  }

  Value single_value() {
    skip_blanks();
    if (peek() == '{' || peek() == '"') return delimited();
    const auto name = word();
    if (name.empty())
      return fail(ErrorKind::Unreadable, fmt::format("line {}: a field without a value", line_));
    const auto known = strings_.find(text::fold(name));
    return known == strings_.end() ? name : known->second;
  }

  Value delimited() {
    const auto opened = line_;
    const char closing = take() == '{' ? '}' : '"';
    std::string value;
    for (int depth = 0; !at_end();) {
      const char letter = take();
      if (letter == closing && depth == 0) return value;
      // The next entry: the quote or brace before it was forgotten.
      if (letter == '\n' && peek() == '@') break;
      if (letter == '\\' && !at_end()) {
        value += letter;
        value += take();
        continue;
      }
      if (letter == '{') ++depth;
      if (letter == '}') --depth;
      value += letter;
    }
    return fail(ErrorKind::Unreadable, fmt::format("line {}: a value that never ends", opened));
  }

  void add(const std::string& key, std::map<std::string, std::string> fields,
           const std::vector<std::string>& authors) {
    fields["key"] = key;
    auto paper = paper_from_fields(fields);
    if (paper.title.empty()) {
      read_.findings.push_back(
          {fmt::format("line {}", line_), fmt::format("{} has no title; left out", key)});
      return;
    }
    paper.authors.clear();
    for (const auto& author : authors)
      // A braced name is an institution's, which has no first and last.
      paper.authors.push_back(author.starts_with('{') && author.ends_with('}')
                                  ? from_latex(author)
                                  : first_last(from_latex(author)));
    read_.papers.push_back(std::move(paper));
  }

  static constexpr std::size_t kMaxValue = 1u << 20;

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::map<std::string, std::string> strings_;
  ReadPapers read_;
};

}  // namespace

Result<ReadPapers> read_bibtex_papers(std::string_view content) { return Parser(content).parse(); }

}  // namespace alcove::papers
