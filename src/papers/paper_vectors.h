#pragma once
// Where the vectors of an index are compared: in this process, exactly; or by a Chroma server
// (vector_mirror.h).

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/vectors.h"

namespace alcove::papers {

// A failure that leaves the words to search by.
inline constexpr const char* kNoStore = "no_store";

// Rows are numbered from 0, in the order of the papers that have a vector. Safe from any thread.
class PaperVectors {
 public:
  virtual ~PaperVectors() = default;

  virtual std::size_t rows() const = 0;     // that are found now
  virtual std::string why_not() const = 0;  // why nothing can be found now: a sentence, or empty
  // As store::VectorTable::nearest. Unavailable ("no_store") when it cannot be asked.
  virtual Result<std::vector<store::Near>> nearest(std::span<const float> query, std::size_t limit,
                                                   const store::RowFilter& filter) const = 0;
  // Row after row, each of length 1 or all zeros. Unavailable ("no_store") as well.
  virtual Result<std::vector<float>> values(std::span<const std::uint32_t> rows) const = 0;
};

std::unique_ptr<PaperVectors> vectors_in_memory(store::VectorTable table);

}  // namespace alcove::papers
