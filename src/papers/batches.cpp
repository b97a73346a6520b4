#include "papers/batches.h"

#include <algorithm>
#include <numeric>

namespace alcove::papers {

std::vector<Batch> plan_batches(std::span<const std::uint32_t> lengths, std::size_t budget) {
  std::vector<std::uint32_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, std::greater{}, [&](std::uint32_t row) { return lengths[row]; });

  std::vector<Batch> batches;
  for (const auto row : order) {
    if (batches.empty() || (batches.back().rows.size() + 1) * batches.back().length > budget)
      batches.push_back({.length = lengths[row]});
    batches.back().rows.push_back(row);
  }
  return batches;
}

}  // namespace alcove::papers
