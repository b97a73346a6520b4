#include "app/text_input.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace alcove::app {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

Result<TextInput> text_of(const Json& value) {
  if (value.is_string()) return TextInput{.title = value.get<std::string>()};
  if (const auto& text = member(value, "text"); text.is_string())
    return TextInput{.title = text.get<std::string>()};
  const auto& title = member(value, "title");
  if (!title.is_string())
    return fail(ErrorKind::Unreadable,
                "neither a string nor an object with text, or with title and abstract");
  const auto& abstract = member(value, "abstract");
  return TextInput{title.get<std::string>(),
                   abstract.is_string() ? abstract.get<std::string>() : std::string()};
}

}  // namespace

Result<std::vector<TextInput>> parse_texts(std::string_view text) {
  std::vector<TextInput> texts;
  const auto add = [&](const Json& value, std::string_view unit, std::size_t number) -> Result<void> {
    auto made = text_of(value);
    if (!made) return fail_in(fmt::format("{} {}", unit, number), std::move(made).error());
    texts.push_back(*std::move(made));
    return {};
  };
  const auto start = text.find_first_not_of(kBlanks);
  if (start != text.npos && text[start] == '[') {
    const auto values = TRY(parse_json(text));
    for (const auto& value : values) TRY(add(value, "text", texts.size() + 1));
    return texts;
  }
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto content = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.find_first_not_of(kBlanks) == content.npos) continue;
    const auto value = parse_json(content);
    if (!value) return fail_in(fmt::format("line {}", line), value.error());
    TRY(add(*value, "line", line));
  }
  return texts;
}

}  // namespace alcove::app
