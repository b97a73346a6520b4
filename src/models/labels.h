#pragma once
// A detector's class names as they travel in ONNX metadata, a Python literal: "{0: 'RegisterNumber', 1:
// 'Subject\'s code'}".

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace alcove::models {

inline constexpr std::size_t kMaxLabels = 10'000;

// A dict of index to name, or a list of names. Unreadable, naming the byte, when it is neither, when an index
// is missing or twice, or when there are more than kMaxLabels.
Result<std::vector<std::string>> parse_labels(std::string_view literal);

// The dict; parse_labels() gives the same labels back.
std::string write_labels(const std::vector<std::string>& labels);

// One label a line, as side files have them; blank lines at the end are dropped.
std::vector<std::string> split_lines(std::string_view text);

}  // namespace alcove::models
