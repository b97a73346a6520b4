#pragma once
// JSON from outside, parsed without exceptions. Include <nlohmann/json.hpp> only where values are built or
// read.

#include <nlohmann/json_fwd.hpp>

#include "base/bytes.h"

namespace alcove {

using Json = nlohmann::ordered_json;

// Unreadable, naming the byte, when the text is not JSON; also when it nests deeper than 256 levels, has more
// than 100,000 values or more than 10,000 keys in one object: what is built of a text takes many times its
// memory.
Result<Json> parse_json(std::string_view text);

// An object's member; null when it has none of that name, or is no object. Lives as long as the object.
const Json& member(const Json& value, const char* name);

// Text with whatever is not UTF-8 replaced, so that a reply is always valid JSON.
std::string to_text(const Json& value, int indent = -1);

}  // namespace alcove
