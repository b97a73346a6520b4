#include "sheets/roster_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/csv.h"

namespace alcove::sheets {
namespace {

// What Windows-1252 has at 0x80 to 0x9F; 0 stands for the five places it leaves empty.
constexpr std::array<char32_t, 32> kWindows{0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                            0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                            0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                            0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

constexpr char32_t kReplacement = 0xFFFD;

void append_utf8(std::string& text, char32_t code) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | code >> 12);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xF0 | code >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

// The code point at `at`, which moves behind it; none where the bytes are not UTF-8.
std::optional<char32_t> next_utf8(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int tail = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  if (lead < 0xC2 || lead > 0xF4) return std::nullopt;
  char32_t code = lead & (0x3FU >> tail);
  for (int i = 0; i < tail; ++i) {
    if (at == text.size() || (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80) return std::nullopt;
    code = code << 6 | (static_cast<unsigned char>(text[at++]) & 0x3F);
  }
  constexpr std::array<char32_t, 4> kLeast{0, 0x80, 0x800, 0x10000};
  if (code < kLeast[static_cast<std::size_t>(tail)] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
    return std::nullopt;
  return code;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();)
    if (!next_utf8(text, at)) return false;
  return true;
}

std::string from_utf16(Bytes bytes, bool big) {
  std::string text;
  const auto unit = [&](std::size_t at) {
    return static_cast<char32_t>(big ? bytes[at] << 8 | bytes[at + 1] : bytes[at + 1] << 8 | bytes[at]);
  };
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
    auto code = unit(at);
    const bool high = code >= 0xD800 && code < 0xDC00;
    if (high && at + 3 < bytes.size() && unit(at + 2) >= 0xDC00 && unit(at + 2) < 0xE000) {
      at += 2;
      code = 0x10000 + ((code - 0xD800) << 10) + (unit(at) - 0xDC00);
    } else if (code >= 0xD800 && code < 0xE000) {
      code = kReplacement;
    }
    append_utf8(text, code);
  }
  return text;
}

std::string from_windows(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    const char32_t code = value >= 0x80 && value < 0xA0 ? kWindows[value - 0x80U] : value;
    append_utf8(text, code == 0 && value != 0 ? kReplacement : code);
  }
  return text;
}

struct Text {
  std::string utf8, encoding;
};

Result<Text> text_of(Bytes file) {
  const auto text = as_text(file);
  if (text.starts_with("PK\x03\x04") || text.starts_with("\xD0\xCF\x11\xE0"))
    return fail(ErrorKind::Unreadable,
                "this is a spreadsheet in its program's own format: save it as CSV and import that");
  if (text.starts_with("\xFF\xFE")) return Text{from_utf16(file.subspan(2), false), "UTF-16"};
  if (text.starts_with("\xFE\xFF")) return Text{from_utf16(file.subspan(2), true), "UTF-16"};
  if (text.find('\0') != std::string_view::npos)
    return fail(ErrorKind::Unreadable, "this is not a text file: save the list as CSV in UTF-8");
  if (text.starts_with("\xEF\xBB\xBF") && is_utf8(text)) return Text{std::string(text.substr(3)), "UTF-8"};
  if (is_utf8(text)) return Text{std::string(text), "UTF-8"};
  return Text{from_windows(text), "Windows-1252"};
}

// Marks of writing direction, of zero width, and the byte order mark: seen by nobody, copied by everybody.
bool is_mark(char32_t code) {
  return code == 0x061C || code == 0x00AD || code == 0xFEFF || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x202A && code <= 0x202E) || (code >= 0x2060 && code <= 0x2069);
}

bool is_space(char32_t code) {
  return code == ' ' || (code >= 0x09 && code <= 0x0D) || code == 0x00A0 || code == 0x3000 ||
         (code >= 0x2000 && code <= 0x200A) || code == 0x202F;
}

// One space for any run of white space and none at the ends, no marks and no control characters.
std::string tidied(std::string_view cell, bool& had_marks) {
  std::string tidy;
  bool space = false;
  for (std::size_t at = 0; at < cell.size();) {
    const auto code = next_utf8(cell, at).value_or(kReplacement);
    had_marks = had_marks || is_mark(code);
    if (is_space(code)) space = true;
    if (is_space(code) || is_mark(code) || code < 0x20 || code == 0x7F) continue;
    if (space && !tidy.empty()) tidy += ' ';
    space = false;
    append_utf8(tidy, code);
  }
  return tidy;
}

// A line that spreadsheets write to say what separates cells; it is no row.
constexpr std::string_view kSeparatorLine = "sep=";

}  // namespace

Result<Table> read_table(Bytes file) {
  if (file.size() > kMaxTableBytes)
    return fail(ErrorKind::TooLarge,
                fmt::format("the list has {} bytes; at most {} are read", file.size(), kMaxTableBytes));
  const auto text = TRY(text_of(file));
  const auto rows = TRY(read_csv(text.utf8));
  Table table{.rows = {}, .encoding = text.encoding};
  for (const auto& each : rows) {
    TableRow row{.line = static_cast<int>(each.line), .cells = {}};
    for (const auto& cell : each.cells) row.cells.push_back(tidied(cell, row.had_marks));
    if (std::ranges::all_of(row.cells, &std::string::empty)) continue;
    if (row.line == 1 && row.cells.front() == kSeparatorLine) continue;
    if (table.rows.size() == kMaxTableRows)
      return fail(ErrorKind::TooLarge, fmt::format("the list has more than {} rows", kMaxTableRows));
    table.rows.push_back(std::move(row));
  }
  if (table.rows.empty()) return fail(ErrorKind::Unreadable, "the list is empty");
  return table;
}

}  // namespace alcove::sheets
