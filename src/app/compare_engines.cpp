#include "app/compare_engines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace alcove::app {

Result<OutputDifference> largest_difference(std::span<const float> first, std::span<const float> second) {
  if (first.size() != second.size())
    return fail(ErrorKind::Internal,
                fmt::format("one engine gives {} numbers, the other {}", first.size(), second.size()));
  OutputDifference difference;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (std::isfinite(first[i]) != std::isfinite(second[i]))
      return fail(ErrorKind::Internal,
                  fmt::format("number {} is {} in one engine and {} in the other", i, first[i], second[i]));
    if (!std::isfinite(first[i])) continue;
    difference.absolute = std::max(difference.absolute, std::abs(double{first[i]} - double{second[i]}));
    difference.largest = std::max(difference.largest, std::abs(double{first[i]}));
  }
  return difference;
}

}  // namespace alcove::app
