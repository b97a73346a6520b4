#pragma once
// Which texts run together: alike in length, so that little of a batch is padding.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace alcove::papers {

struct Batch {
  std::size_t length = 0;           // of its longest text, in tokens
  std::vector<std::uint32_t> rows;  // places in what was planned
};

// Longest first, so that memory is at its peak at once and the time left is foreseen too long rather than too
// short. A batch holds at most `budget` tokens, padding included, and at least one text.
std::vector<Batch> plan_batches(std::span<const std::uint32_t> lengths, std::size_t budget);

}  // namespace alcove::papers
