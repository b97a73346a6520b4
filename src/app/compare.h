#pragma once
// Two readings of one sheet, ours and another server's of the same contract, laid side by side.

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace alcove::app {

struct Difference {
  std::string field;         // as the contract calls it; a candidate's number as register_confidence
  std::string ours, theirs;  // empty where the field is missing or null
  bool agrees = true;
  // By how much: symbols to change for texts, the distance of numbers; none where one side has no number.
  std::optional<double> distance;
  bool is_text = true;
};

// Of two bodies of POST /extract, in the contract's order: success, both values, and of each value's best
// candidate the two confidences. Numbers agree when they are nearer than 0.01, which is what two decoders of
// one JPEG may make of it.
std::vector<Difference> compare(const Json& ours, const Json& theirs);

// Single symbols to insert, remove or replace to make one of the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace alcove::app
