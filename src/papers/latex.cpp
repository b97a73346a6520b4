#include "papers/latex.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "papers/paper.h"
#include "text/fold.h"

namespace alcove::papers {
namespace {

// An accent as LaTeX's command and as the combining letter of Unicode.
struct Accent {
  char command;
  std::string_view mark;
};
constexpr std::array kAccents{
    Accent{'`', "\u0300"}, Accent{'\'', "\u0301"}, Accent{'^', "\u0302"}, Accent{'~', "\u0303"},
    Accent{'=', "\u0304"}, Accent{'u', "\u0306"},  Accent{'.', "\u0307"}, Accent{'"', "\u0308"},
    Accent{'r', "\u030A"}, Accent{'H', "\u030B"},  Accent{'v', "\u030C"}, Accent{'c', "\u0327"},
    Accent{'k', "\u0328"}, Accent{'d', "\u0323"},
};

struct Letter {
  std::string_view command;
  std::string_view text;
};
constexpr std::array kLetters{
    Letter{"ss", "ß"},
    Letter{"ae", "æ"},
    Letter{"AE", "Æ"},
    Letter{"oe", "œ"},
    Letter{"OE", "Œ"},
    Letter{"o", "ø"},
    Letter{"O", "Ø"},
    Letter{"aa", "å"},
    Letter{"AA", "Å"},
    Letter{"l", "ł"},
    Letter{"L", "Ł"},
    Letter{"i", "ı"},
    Letter{"j", "j"},
    Letter{"textendash", "–"},
    Letter{"textemdash", "—"},
    Letter{"textbackslash", "\\"},
    Letter{"textbraceleft", "{"},
    Letter{"textbraceright", "}"},
    Letter{"textasciitilde", "~"},
    Letter{"textasciicircum", "^"},
};

// BibTeX counts braces even behind a backslash, so those have names here.
constexpr std::array kEscapes{
    Letter{"\\textbackslash{}", "\\"},
    Letter{"{\\textbraceleft}", "{"},
    Letter{"{\\textbraceright}", "}"},
    Letter{"\\$", "$"},
    Letter{"\\&", "&"},
    Letter{"\\#", "#"},
    Letter{"\\_", "_"},
    Letter{"\\%", "%"},
    Letter{"\\textasciitilde{}", "~"},
    Letter{"\\textasciicircum{}", "^"},
};

bool is_letter(char letter) { return std::isalpha(static_cast<unsigned char>(letter)) != 0; }

// The accent's command that begins these bytes, if one does.
const Accent* accent_at(std::string_view text) {
  for (const auto& accent : kAccents)
    if (text.starts_with(accent.mark)) return &accent;
  return nullptr;
}

std::string escaped(std::string_view text) {
  std::string latex;
  const auto decomposed = text::decompose(text);
  for (std::size_t i = 0; i < decomposed.size(); ++i) {
    const std::string_view rest = std::string_view(decomposed).substr(i);
    // {\"u}: the letter that the accent follows.
    if (is_letter(rest[0]))
      if (const auto* accent = accent_at(rest.substr(1))) {
        const std::string base = rest[0] == 'i' ? "\\i" : std::string(1, rest[0]);
        const bool needs_blank = is_letter(accent->command) && base.front() != '\\';
        latex += std::string("{\\") + accent->command + (needs_blank ? " " : "") + base + "}";
        i += accent->mark.size();
        continue;
      }
    const auto escape =
        std::ranges::find_if(kEscapes, [&](const Letter& each) { return rest.starts_with(each.text); });
    const auto letter = std::ranges::find_if(kLetters, [&](const Letter& each) {
      return static_cast<unsigned char>(each.text[0]) >= 0x80 && rest.starts_with(each.text);
    });
    if (escape != kEscapes.end()) {
      latex += escape->command;
    } else if (letter != kLetters.end()) {
      latex += fmt::format("{{\\{}}}", letter->command);
      i += letter->text.size() - 1;
    } else {
      latex += rest[0];
    }
  }
  return text::compose(latex);
}

bool is_math(std::string_view text) {
  return std::ranges::count(text, '$') % 2 == 0 &&
         std::ranges::count(text, '{') == std::ranges::count(text, '}');
}

// Calls `plain` and `math` with the pieces between dollars.
template <class Plain>
std::string with_math_kept(std::string_view text, Plain plain) {
  if (!is_math(text)) return plain(text);
  std::string latex;
  while (!text.empty()) {
    const auto opens = text.find('$');
    latex += plain(text.substr(0, opens));
    if (opens == std::string_view::npos) break;
    const auto closes = text.find('$', opens + 1);
    latex += text.substr(opens, closes - opens + 1);
    text.remove_prefix(closes + 1);
  }
  return latex;
}

// A capital that is not the word's first, or a word of one capital that is not "A".
bool is_case_sensitive(std::string_view word) {
  const auto capitals = std::ranges::count_if(word.substr(std::min<std::size_t>(1, word.size())),
                                              [](char letter) { return letter >= 'A' && letter <= 'Z'; });
  return capitals > 0;
}

std::string braced_words(std::string_view text) {
  std::string latex;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    latex += is_case_sensitive(word) ? fmt::format("{{{}}}", escaped(word)) : escaped(word);
    if (end < text.size()) latex += ' ';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return latex;
}

// Reads LaTeX forward.
class Reader {
 public:
  explicit Reader(std::string_view latex) : rest_(latex) {}

  std::string read() {
    while (!rest_.empty()) step();
    return tidy(text::compose(text_));
  }

 private:
  char take() {
    const char letter = rest_.front();
    rest_.remove_prefix(1);
    return letter;
  }

  void step() {
    const char letter = take();
    if (letter == '\\' && !rest_.empty()) return command();
    if (letter == '$') return math();
    if (letter == '{' || letter == '}') return;
    text_ += letter == '~' ? ' ' : letter;
  }

  void math() {
    const auto end = rest_.find('$');
    text_ += '$';
    if (end == std::string_view::npos) return;
    text_ += rest_.substr(0, end + 1);
    rest_.remove_prefix(end + 1);
  }

  void command() {
    std::string name(1, take());
    if (is_letter(name[0]))
      while (!rest_.empty() && is_letter(rest_.front())) name += take();
    const auto accent = std::ranges::find_if(
        kAccents, [&](const Accent& each) { return name.size() == 1 && name[0] == each.command; });
    if (accent != kAccents.end() && has_base(is_letter(name[0]))) return accented(accent->mark);
    const auto letter = std::ranges::find(kLetters, name, &Letter::command);
    if (letter != kLetters.end()) {
      text_ += letter->text;
      skip_blank_after_name();
    } else if (!is_letter(name[0])) {
      text_ += name == "\\" ? " " : name;  // \& is &, \\ ends a line
    } else {
      skip_blank_after_name();
    }
  }

  // \c needs a blank or a brace before its letter; \"u does not.
  bool has_base(bool is_word) const {
    if (rest_.empty()) return false;
    return !is_word || rest_.front() == ' ' || rest_.front() == '{' || rest_.front() == '\\';
  }

  void accented(std::string_view mark) {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '{')) take();
    if (rest_.empty()) return;
    char base = take();
    if (base == '\\' && !rest_.empty()) {  // \i and \j lose their dot under an accent
      base = take();
      skip_blank_after_name();
    }
    text_ += base;
    // The rest of a letter of several bytes, which the accent follows.
    while (!rest_.empty() && (static_cast<unsigned char>(rest_.front()) & 0xC0) == 0x80) text_ += take();
    text_ += mark;
  }

  void skip_blank_after_name() {
    if (!rest_.empty() && rest_.front() == ' ') take();
  }

  std::string_view rest_;
  std::string text_;
};

}  // namespace

std::string to_latex(std::string_view text) { return with_math_kept(text, escaped); }
std::string to_latex_title(std::string_view title) { return with_math_kept(title, braced_words); }
std::string from_latex(std::string_view latex) { return Reader(latex).read(); }

}  // namespace alcove::papers
