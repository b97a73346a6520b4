#include "models/labels.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

namespace alcove::models {
namespace {

void append_utf8(std::string& text, std::uint32_t point) {
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xC0 | point >> 6);
    text += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    text += static_cast<char>(0xE0 | point >> 12);
    text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | point >> 18);
    text += static_cast<char>(0x80 | (point >> 12 & 0x3F));
    text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (point & 0x3F));
  }
}

// The few forms of Python's literals that a list of names uses.
class LiteralReader {
 public:
  explicit LiteralReader(std::string_view text) : text_(text) {}

  bool accept(char wanted) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  Result<void> expect(char wanted) {
    if (accept(wanted)) return {};
    return damaged(fmt::format("'{}'", wanted));
  }

  Result<void> end() {
    skip_blanks();
    if (at_ == text_.size()) return {};
    return damaged("the end");
  }

  Result<std::size_t> index() {
    skip_blanks();
    std::size_t value = 0;
    const auto [stop, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc() || value >= kMaxLabels)
      return damaged(fmt::format("an index below {}", kMaxLabels));
    at_ = static_cast<std::size_t>(stop - text_.data());
    return value;
  }

  Result<std::string> string() {
    skip_blanks();
    if (at_ == text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return damaged("a name in quotes");
    const char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\') {
        TRY(escape(value));
      } else {
        value += text_[at_++];
      }
    }
    if (at_ == text_.size()) return damaged("a closing quote");
    ++at_;
    return value;
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }

  Result<void> escape(std::string& value) {
    if (++at_ == text_.size()) return damaged("an escape");
    switch (const char letter = text_[at_++]) {
      case '\\':
      case '\'':
      case '"': value += letter; return {};
      case 'n': value += '\n'; return {};
      case 'r': value += '\r'; return {};
      case 't': value += '\t'; return {};
      case 'x': return code_point(2, value);
      case 'u': return code_point(4, value);
      case 'U': return code_point(8, value);
      default: return damaged("an escape");
    }
  }

  Result<void> code_point(std::size_t digits, std::string& value) {
    std::uint32_t point = 0;
    const auto* first = text_.data() + at_;
    if (text_.size() - at_ < digits) return damaged("a code point");
    const auto [stop, error] = std::from_chars(first, first + digits, point, 16);
    if (error != std::errc() || stop != first + digits || point > 0x10FFFF) return damaged("a code point");
    at_ += digits;
    append_utf8(value, point);
    return {};
  }

  std::unexpected<Error> damaged(const std::string& wanted) const {
    return fail(ErrorKind::Unreadable,
                fmt::format("the list of class names is damaged: {} expected at byte {}", wanted, at_));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<std::vector<std::string>> parse_list(LiteralReader& in) {
  std::vector<std::string> labels;
  while (!in.accept(']')) {
    if (labels.size() == kMaxLabels)
      return fail(ErrorKind::Unreadable, fmt::format("the list of class names has more than {}", kMaxLabels));
    labels.push_back(TRY(in.string()));
    if (in.accept(']')) break;
    TRY(in.expect(','));
  }
  TRY(in.end());
  return labels;
}

Result<std::vector<std::string>> parse_dict(LiteralReader& in) {
  std::map<std::size_t, std::string> by_index;
  while (!in.accept('}')) {
    const auto index = TRY(in.index());
    TRY(in.expect(':'));
    if (!by_index.emplace(index, TRY(in.string())).second)
      return fail(ErrorKind::Unreadable, fmt::format("the list of class names has two of number {}", index));
    if (in.accept('}')) break;
    TRY(in.expect(','));
  }
  TRY(in.end());
  std::vector<std::string> labels;
  for (auto& [index, label] : by_index) {
    if (index != labels.size())
      return fail(ErrorKind::Unreadable,
                  fmt::format("the list of class names lacks number {}", labels.size()));
    labels.push_back(std::move(label));
  }
  return labels;
}

// As Python's repr() writes a string, but for what it thinks unprintable beyond ASCII.
std::string in_quotes(std::string_view label) {
  const bool has_single = label.find('\'') != std::string_view::npos;
  const bool has_double = label.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  std::string text(1, quote);
  for (const char letter : label) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == quote || letter == '\\') {
      text += '\\';
      text += letter;
    } else if (letter == '\n') {
      text += "\\n";
    } else if (code < 0x20 || code == 0x7F) {
      text += fmt::format("\\x{:02x}", code);
    } else {
      text += letter;
    }
  }
  return text + quote;
}

}  // namespace

Result<std::vector<std::string>> parse_labels(std::string_view literal) {
  LiteralReader in(literal);
  if (in.accept('[')) return parse_list(in);
  TRY(in.expect('{'));
  return parse_dict(in);
}

std::string write_labels(const std::vector<std::string>& labels) {
  std::string text = "{";
  for (std::size_t i = 0; i < labels.size(); ++i)
    text += fmt::format("{}{}: {}", i == 0 ? "" : ", ", i, in_quotes(labels[i]));
  return text + "}";
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

}  // namespace alcove::models
