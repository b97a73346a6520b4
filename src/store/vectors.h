#pragma once
// Nearest vectors by cosine, exactly. Home of Highway.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace alcove::store {

struct Near {
  std::uint32_t row;
  float cosine;  // 1 means the same direction

  bool operator==(const Near&) const = default;
};

// Rows that may be found, by position; empty means all.
using RowFilter = std::vector<std::uint8_t>;

// Rows of equal width, in memory. Beside its floats each row is kept in bytes, with a bound on what that
// loses: a scan of the bytes names the few rows that can be among the nearest, and those are compared in
// full. So the answer is that of comparing all rows in full, at a fraction of the memory read. 5 bytes a
// number. Unchanging once built: safe from any thread.
class VectorTable {
 public:
  // `values` is row after row; they are scaled to length 1. A row of zeros has cosine 0 with everything.
  // BadInput, naming the row, for numbers that are not finite; when values are no multiple of width; over
  // 65,536 wide.
  static Result<VectorTable> make(std::size_t width, std::vector<float> values);

  std::size_t width() const { return width_; }
  std::size_t rows() const { return norms_.size(); }
  std::span<const float> row(std::size_t at) const { return std::span(values_).subspan(at * width_, width_); }

  // The nearest `limit` rows that the filter lets through, nearest first, ties by row. `query` has width()
  // numbers, of any length; one that is zero or not finite is near nothing: no rows.
  std::vector<Near> nearest(std::span<const float> query, std::size_t limit,
                            const RowFilter& filter = {}) const;

  // The cosine to each row, whatever its distance.
  std::vector<float> cosines(std::span<const float> query) const;

 private:
  std::vector<Near> compare_all(std::span<const float> query, std::size_t limit,
                                const RowFilter& filter) const;
  std::vector<Near> scan_bytes(std::span<const float> query, std::size_t limit,
                               const RowFilter& filter) const;
  void make_codes();

  std::size_t width_ = 0;
  std::vector<float> values_;       // length 1 each
  std::vector<float> norms_;        // 1, or 0 of a row of zeros
  std::vector<std::int8_t> codes_;  // value = code * scale, nearly
  std::vector<float> scales_;       // of each row
  std::vector<float> losses_;       // length of what the codes leave out of the row
};

// What is known of instructions: "AVX2", "AVX3", for reports.
std::string vector_instructions();

// sum of a[i] * b[i]
float dot(std::span<const float> a, std::span<const float> b);

}  // namespace alcove::store
