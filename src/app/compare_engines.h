#pragma once
// How far two engines' numbers for one input lie apart.

#include <span>

#include "base/result.h"

namespace alcove::app {

struct OutputDifference {
  double absolute = 0;  // the largest
  double largest = 0;   // number of the first, by size

  // Engines sum in orders of their own: some of f32's last digits differ, through a deep network a thousandth
  // of its largest number at most.
  bool agree() const { return absolute <= 1e-3 * largest + 1e-4; }
};

// Internal when one has more numbers than the other, or one has a number where the other has none.
Result<OutputDifference> largest_difference(std::span<const float> first, std::span<const float> second);

}  // namespace alcove::app
