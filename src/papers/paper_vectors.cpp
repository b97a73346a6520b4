#include "papers/paper_vectors.h"

namespace alcove::papers {
namespace {

class VectorsInMemory final : public PaperVectors {
 public:
  explicit VectorsInMemory(store::VectorTable table) : table_(std::move(table)) {}

  std::size_t rows() const override { return table_.rows(); }
  std::string why_not() const override { return {}; }
  Result<std::vector<store::Near>> nearest(std::span<const float> query, std::size_t limit,
                                           const store::RowFilter& filter) const override {
    return table_.nearest(query, limit, filter);
  }
  Result<std::vector<float>> values(std::span<const std::uint32_t> rows) const override {
    std::vector<float> values;
    values.reserve(rows.size() * table_.width());
    for (const auto at : rows) values.insert(values.end(), table_.row(at).begin(), table_.row(at).end());
    return values;
  }

 private:
  const store::VectorTable table_;
};

}  // namespace

std::unique_ptr<PaperVectors> vectors_in_memory(store::VectorTable table) {
  return std::make_unique<VectorsInMemory>(std::move(table));
}

}  // namespace alcove::papers
