#include "app/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace alcove::app {
namespace {

constexpr double kSame = 0.01;

// What stands at `pointer`; null when nothing does.
const Json& at(const Json& body, const char* pointer) {
  static const Json nothing;
  const Json::json_pointer where(pointer);
  return body.contains(where) ? body.at(where) : nothing;
}

std::string shown(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? fmt::format("{:.4f}", value.get<double>()) : to_text(value);
}

Difference compare_texts(std::string field, const Json& ours, const Json& theirs) {
  Difference difference{std::move(field), shown(ours), shown(theirs), true, {}, true};
  difference.agrees = difference.ours == difference.theirs;
  difference.distance = static_cast<double>(edit_distance(difference.ours, difference.theirs));
  return difference;
}

Difference compare_numbers(std::string field, const Json& ours, const Json& theirs) {
  Difference difference{std::move(field), shown(ours), shown(theirs), true, {}, false};
  if (ours.is_number() && theirs.is_number()) {
    difference.distance = std::abs(ours.get<double>() - theirs.get<double>());
    difference.agrees = *difference.distance < kSame;
  } else {
    difference.agrees = ours.is_number() == theirs.is_number();
  }
  return difference;
}

}  // namespace

std::vector<Difference> compare(const Json& ours, const Json& theirs) {
  const auto pair = [&](const char* pointer, auto how, std::string field) {
    return how(std::move(field), at(ours, pointer), at(theirs, pointer));
  };
  return {
      pair("/success", compare_texts, "success"),
      pair("/register_number", compare_texts, "register_number"),
      pair("/register_candidates/0/confidence", compare_numbers, "register_confidence"),
      pair("/register_candidates/0/detection_confidence", compare_numbers, "register_detection"),
      pair("/subject_code", compare_texts, "subject_code"),
      pair("/subject_candidates/0/confidence", compare_numbers, "subject_confidence"),
      pair("/subject_candidates/0/detection_confidence", compare_numbers, "subject_detection"),
  };
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({row[j + 1] + 1, row[j] + 1, replaced}));
    }
  }
  return row.back();
}

}  // namespace alcove::app
