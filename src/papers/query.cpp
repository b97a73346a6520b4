#include "papers/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "papers/paper.h"
#include "text/fold.h"

namespace alcove::papers {
namespace {

constexpr std::size_t kMaxTyped = 1u << 20;
constexpr std::size_t kMaxSyntax = 400;  // an abstract is longer

struct Name {
  std::string_view name;
  Field field;
};
constexpr std::array kNames{
    Name{"author", Field::Author}, Name{"title", Field::Title},    Name{"keyword", Field::Keyword},
    Name{"venue", Field::Venue},   Name{"year", Field::Year},      Name{"decision", Field::Decision},
    Name{"area", Field::Area},     Name{"authors", Field::Author}, Name{"keywords", Field::Keyword},
};

bool is_blank(char letter) { return static_cast<unsigned char>(letter) <= ' '; }

std::optional<int> read_year(std::string_view text) {
  int year = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), year);
  if (error != std::errc() || end != text.data() + text.size() || year < 0 || year > 9'999)
    return std::nullopt;
  return year;
}

std::unexpected<Error> no_year(std::string_view value) {
  return fail(ErrorKind::BadInput,
              fmt::format("year:{} is not a year; write year:2024, year:>=2024 or year:2020..2024", value));
}

class Parser {
 public:
  explicit Parser(std::string_view typed) : rest_(typed) {}

  Result<Query> parse() {
    while (skip_blanks(), !rest_.empty()) TRY(term());
    query_.text = tidy(query_.text);
    return std::move(query_);
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  Result<void> term() {
    const bool excluded = rest_.size() > 1 && rest_.front() == '-' && !is_blank(rest_[1]) && rest_[1] != '-';
    if (excluded) rest_.remove_prefix(1);
    const auto field = leading_field();
    if (field) return condition(*field, excluded);
    const bool quoted = rest_.starts_with('"') && rest_.find('"', 1) != std::string_view::npos;
    const auto value = take_value();
    if (quoted || excluded) add({.field = Field::Phrase, .value = value, .excluded = excluded});
    if (!excluded) query_.text += value + " ";
    return {};
  }

  // A field's name and its colon, consumed when a value follows at once.
  std::optional<Field> leading_field() {
    const auto colon = rest_.find(':');
    if (colon == std::string_view::npos || colon + 1 == rest_.size() || is_blank(rest_[colon + 1]))
      return std::nullopt;
    const auto field = field_named(text::fold(rest_.substr(0, std::min(colon, std::size_t{10}))));
    if (field) rest_.remove_prefix(colon + 1);
    return field;
  }

  Result<void> condition(Field field, bool excluded) {
    const auto value = take_value();
    Condition condition{.field = field, .value = value};
    if (field == Field::Year) condition = TRY(year_condition(value));
    condition.excluded = excluded;
    add(std::move(condition));
    return {};
  }

  std::string take_value() {
    const auto closing = rest_.starts_with('"') ? rest_.find('"', 1) : std::string_view::npos;
    std::string value;
    if (closing != std::string_view::npos) {
      value = tidy(rest_.substr(1, closing - 1));
      rest_.remove_prefix(closing + 1);
      return value;
    }
    while (!rest_.empty() && !is_blank(rest_.front())) {
      value += rest_.front();
      rest_.remove_prefix(1);
    }
    return value;
  }

  void add(Condition condition) {
    if (!tidy(condition.value).empty()) query_.conditions.push_back(std::move(condition));
  }

  std::string_view rest_;
  Query query_;
};

}  // namespace

Result<Query> read_query(std::string_view typed) {
  if (typed.size() > kMaxTyped) return fail(ErrorKind::TooLarge, "the query is longer than 1 MiB");
  if (typed.size() > kMaxSyntax) return Query{.text = tidy(typed)};
  return Parser(typed).parse();
}

Result<Condition> year_condition(std::string_view value) {
  Condition condition{.field = Field::Year, .value = std::string(value)};
  struct Sign {
    std::string_view text;
    int from, to;  // added to the year
  };
  constexpr int kOpen = 10'000;
  for (const auto& sign :
       {Sign{">=", 0, kOpen}, Sign{"<=", -kOpen, 0}, Sign{">", 1, kOpen}, Sign{"<", -kOpen, -1}}) {
    if (!value.starts_with(sign.text)) continue;
    const auto year = read_year(value.substr(sign.text.size()));
    if (!year) return no_year(value);
    condition.from = std::max(*year + sign.from, 0);
    condition.to = std::min(*year + sign.to, 9'999);
    return condition;
  }
  auto parting = value.find("..");
  auto width = std::size_t{2};
  if (parting == std::string_view::npos) parting = value.find('-'), width = 1;
  const auto from = read_year(value.substr(0, parting));
  const auto to = parting == std::string_view::npos ? from : read_year(value.substr(parting + width));
  if (!from || !to) return no_year(value);
  condition.from = *from;
  condition.to = *to;
  return condition;
}

std::string to_text(const Condition& condition) {
  auto value = condition.value;
  const bool blank = std::ranges::any_of(value, is_blank);
  // There is no way to write a quote between quotes; a word that has one in it is typed as it is.
  if (blank) std::erase(value, '"');
  if (blank || (condition.field == Field::Phrase && !value.contains('"')))
    value = fmt::format("\"{}\"", value);
  const auto name = condition.field == Field::Phrase ? "" : fmt::format("{}:", name_of(condition.field));
  return fmt::format("{}{}{}", condition.excluded ? "-" : "", name, value);
}

std::string_view name_of(Field field) {
  for (const auto& name : kNames)
    if (name.field == field) return name.name;
  return "text";
}

std::optional<Field> field_named(std::string_view name) {
  for (const auto& known : kNames)
    if (known.name == name) return known.field;
  return std::nullopt;
}

}  // namespace alcove::papers
