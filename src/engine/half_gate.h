#pragma once
// Half precision, where a model's numbers stay what they are.

#include <memory>
#include <vector>

#include "engine/engine.h"

namespace alcove::engine {

// How far f16 may move a model's outputs: nearly all of the numbers by little, all of them together by less.
// A box at a place where nothing is may go where it likes.
struct HalfAllowance {
  double absolute = 0.02, relative = 0.01;  // of a number
  double share = 0.995;                     // of the numbers within that
  double norm = 0.005;                      // of the outputs' difference, against their length
};
bool alike(const std::vector<Array>& full, const std::vector<Array>& half,
           const HalfAllowance& allowance = {});

// Both sessions run the first input, and a warm-up's pattern before that; from then on `half` is used when it
// passed, else `full`, or, when f16 was `insisted` on, an Unsupported error. The one not used goes.
std::unique_ptr<Session> half_if_alike(std::unique_ptr<Session> full, std::unique_ptr<Session> half,
                                       std::vector<graph::Port> inputs, bool insisted);

}  // namespace alcove::engine
