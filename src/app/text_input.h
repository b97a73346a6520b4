#pragma once
// Texts as `alcove embed` takes them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace alcove::app {

struct TextInput {
  std::string title;  // the whole text, where there is no abstract
  std::optional<std::string> abstract;
};

// A JSON array, or a JSON value on each line that is not blank: strings, or objects with `text`, or with
// `title` and perhaps `abstract`. Unreadable, naming the place, for anything else.
Result<std::vector<TextInput>> parse_texts(std::string_view text);

}  // namespace alcove::app
