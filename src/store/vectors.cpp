#include "store/vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

// The kernels are compiled once for each instruction set, and the best one this machine has is called.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "store/vectors.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace alcove::store {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

float dot_kernel(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, std::size_t count) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  // Four sums, so that one addition does not wait for the other.
  auto sum0 = hn::Zero(d), sum1 = hn::Zero(d), sum2 = hn::Zero(d), sum3 = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    sum0 = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum0);
    sum1 = hn::MulAdd(hn::LoadU(d, a + i + lanes), hn::LoadU(d, b + i + lanes), sum1);
    sum2 = hn::MulAdd(hn::LoadU(d, a + i + 2 * lanes), hn::LoadU(d, b + i + 2 * lanes), sum2);
    sum3 = hn::MulAdd(hn::LoadU(d, a + i + 3 * lanes), hn::LoadU(d, b + i + 3 * lanes), sum3);
  }
  for (; i + lanes <= count; i += lanes) sum0 = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum0);
  float total = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
  for (; i < count; ++i) total += a[i] * b[i];
  return total;
}

// Rows of bytes against a query of 16-bit numbers small enough that no sum overflows (see scan_bytes).
void byte_dots_kernel(const std::int8_t* HWY_RESTRICT rows, const std::int16_t* HWY_RESTRICT query,
                      std::size_t width, std::size_t count, std::int32_t* HWY_RESTRICT dots) {
  for (std::size_t row = 0; row < count; ++row, rows += width) {
    std::size_t i = 0;
    std::int32_t total = 0;
#if HWY_TARGET != HWY_SCALAR
    const hn::ScalableTag<std::int32_t> d32;
    const hn::Repartition<std::int16_t, decltype(d32)> d16;
    const hn::Rebind<std::int8_t, decltype(d16)> d8;
    const std::size_t lanes = hn::Lanes(d16);
    auto sum0 = hn::Zero(d32), sum1 = hn::Zero(d32), sum2 = hn::Zero(d32), sum3 = hn::Zero(d32);
    for (; i + 2 * lanes <= width; i += 2 * lanes) {
      const auto first = hn::PromoteTo(d16, hn::LoadU(d8, rows + i));
      const auto second = hn::PromoteTo(d16, hn::LoadU(d8, rows + i + lanes));
      sum0 = hn::ReorderWidenMulAccumulate(d32, first, hn::LoadU(d16, query + i), sum0, sum1);
      sum2 = hn::ReorderWidenMulAccumulate(d32, second, hn::LoadU(d16, query + i + lanes), sum2, sum3);
    }
    total = hn::GetLane(hn::SumOfLanes(d32, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
#endif
    for (; i < width; ++i) total += rows[i] * query[i];
    dots[row] = total;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace alcove::store
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alcove::store {
namespace {

HWY_EXPORT(dot_kernel);
HWY_EXPORT(byte_dots_kernel);

constexpr std::size_t kMaxWidth = 65'536;
constexpr int kMostCode = 127;
constexpr std::size_t kBlock = 256;  // rows scanned between two looks at the bound

float length(std::span<const float> vector) { return std::sqrt(dot(vector, vector)); }

bool is_finite(std::span<const float> vector) {
  return std::ranges::all_of(vector, [](float value) { return std::isfinite(value); });
}

// Scaled to length 1. First by its greatest number, so that squares neither overflow nor vanish.
bool normalise(std::span<float> vector) {
  float greatest = 0;
  for (const float value : vector) greatest = std::max(greatest, std::abs(value));
  if (greatest == 0) return false;
  for (auto& value : vector) value /= greatest;
  const float by = 1 / length(vector);
  for (auto& value : vector) value *= by;
  return true;
}

bool nearer(const Near& a, const Near& b) {
  return a.cosine != b.cosine ? a.cosine > b.cosine : a.row < b.row;
}

bool is_let_through(const RowFilter& filter, std::size_t row) { return filter.empty() || filter[row] != 0; }

void keep_nearest(std::vector<Near>& found, std::size_t limit) {
  const auto end = found.begin() + static_cast<std::ptrdiff_t>(std::min(limit, found.size()));
  std::partial_sort(found.begin(), end, found.end(), nearer);
  found.erase(end, found.end());
}

// The query in 16 bits: query = code * scale + what is lost, whose length is known.
struct QueryCodes {
  std::vector<std::int16_t> codes;
  float scale = 0;
  float loss = 0;
};

QueryCodes make_query_codes(std::span<const float> query) {
  // width * 127 * most fits 31 bits, so that even the sum of all lanes cannot overflow.
  const auto most = std::min<float>(
      32'767, std::floor(2'147'483'647.0F / (static_cast<float>(query.size()) * kMostCode) / 2));
  float greatest = 0;
  for (const float value : query) greatest = std::max(greatest, std::abs(value));
  QueryCodes coded{.codes = std::vector<std::int16_t>(query.size()), .scale = greatest / most};
  double lost = 0;
  for (std::size_t i = 0; i < query.size(); ++i) {
    coded.codes[i] = static_cast<std::int16_t>(std::lround(query[i] / coded.scale));
    const double rest = query[i] - static_cast<double>(coded.codes[i]) * coded.scale;
    lost += rest * rest;
  }
  coded.loss = static_cast<float>(std::sqrt(lost));
  return coded;
}

}  // namespace

float dot(std::span<const float> a, std::span<const float> b) {
  return HWY_DYNAMIC_DISPATCH(dot_kernel)(a.data(), b.data(), std::min(a.size(), b.size()));
}

std::string vector_instructions() {
  const auto targets = static_cast<std::uint64_t>(hwy::SupportedTargets());
  return hwy::TargetName(static_cast<decltype(hwy::SupportedTargets())>(targets & (~targets + 1)));
}

Result<VectorTable> VectorTable::make(std::size_t width, std::vector<float> values) {
  if (width == 0 || width > kMaxWidth || values.size() % width != 0)
    return fail(ErrorKind::BadInput, fmt::format("{} numbers are no rows of {}", values.size(), width));
  VectorTable table;
  table.width_ = width;
  table.values_ = std::move(values);
  table.norms_.assign(table.values_.size() / width, 1);
  for (std::size_t at = 0; at < table.rows(); ++at) {
    const auto row = std::span(table.values_).subspan(at * width, width);
    if (!is_finite(row))
      return fail(ErrorKind::BadInput, fmt::format("vector {} holds a number that is not finite", at));
    if (!normalise(row)) table.norms_[at] = 0;
  }
  table.make_codes();
  return table;
}

void VectorTable::make_codes() {
  codes_.resize(values_.size());
  scales_.assign(rows(), 0);
  losses_.assign(rows(), 0);
  for (std::size_t at = 0; at < rows(); ++at) {
    const auto from = row(at);
    float greatest = 0;
    for (const float value : from) greatest = std::max(greatest, std::abs(value));
    if (greatest == 0) continue;
    const float scale = greatest / kMostCode;
    double lost = 0;
    for (std::size_t i = 0; i < width_; ++i) {
      const auto code = static_cast<std::int8_t>(std::lround(from[i] / scale));
      codes_[at * width_ + i] = code;
      const double rest = from[i] - static_cast<double>(code) * scale;
      lost += rest * rest;
    }
    scales_[at] = scale;
    losses_[at] = static_cast<float>(std::sqrt(lost));
  }
}

std::vector<float> VectorTable::cosines(std::span<const float> query) const {
  std::vector<float> unit(query.begin(), query.end());
  std::vector<float> all(rows(), 0);
  if (unit.size() != width_ || !is_finite(unit) || !normalise(unit)) return all;
  for (std::size_t at = 0; at < rows(); ++at) all[at] = dot(row(at), unit);
  return all;
}

std::vector<Near> VectorTable::nearest(std::span<const float> query, std::size_t limit,
                                       const RowFilter& filter) const {
  std::vector<float> unit(query.begin(), query.end());
  if (limit == 0 || unit.size() != width_ || !is_finite(unit) || !normalise(unit)) return {};
  // Where most rows are compared in full anyway, their bytes need not be read first.
  return limit * 8 > rows() ? compare_all(unit, limit, filter) : scan_bytes(unit, limit, filter);
}

std::vector<Near> VectorTable::compare_all(std::span<const float> query, std::size_t limit,
                                           const RowFilter& filter) const {
  std::vector<Near> found;
  for (std::size_t at = 0; at < rows(); ++at)
    if (is_let_through(filter, at)) found.push_back({static_cast<std::uint32_t>(at), dot(row(at), query)});
  keep_nearest(found, limit);
  return found;
}

// row = code * scale + left out, query likewise; so row · query differs from the product of the codes by at
// most |left out of row| * |query| + |row's codes| * |left out of query|, where |query| = 1 and |row's codes|
// is at most 1 + |left out of row|. A little is added for the rounding of the floats themselves.
std::vector<Near> VectorTable::scan_bytes(std::span<const float> query, std::size_t limit,
                                          const RowFilter& filter) const {
  constexpr float kRounding = 1e-5F;
  const auto coded = make_query_codes(query);
  struct Candidate {
    std::uint32_t row;
    float most;  // its cosine is at most this
  };
  std::vector<Candidate> candidates;
  std::vector<float> least;  // a heap of the greatest lower bounds; its front is what a row has to reach
  std::vector<std::int32_t> dots(kBlock);
  for (std::size_t first = 0; first < rows(); first += kBlock) {
    const auto count = std::min(kBlock, rows() - first);
    HWY_DYNAMIC_DISPATCH(byte_dots_kernel)(codes_.data() + first * width_, coded.codes.data(), width_, count,
                                           dots.data());
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = first + i;
      if (!is_let_through(filter, at)) continue;
      const float near = static_cast<float>(dots[i]) * scales_[at] * coded.scale;
      const float slack = losses_[at] + (1 + losses_[at]) * coded.loss + kRounding;
      if (least.size() == limit && near + slack < least.front()) continue;
      candidates.push_back({static_cast<std::uint32_t>(at), near + slack});
      if (least.size() == limit) {
        if (near - slack <= least.front()) continue;
        std::ranges::pop_heap(least, std::greater{});
        least.pop_back();
      }
      least.push_back(near - slack);
      std::ranges::push_heap(least, std::greater{});
    }
  }
  std::vector<Near> found;
  for (const auto& candidate : candidates)
    if (least.size() < limit || candidate.most >= least.front())
      found.push_back({candidate.row, dot(row(candidate.row), query)});
  keep_nearest(found, limit);
  return found;
}

}  // namespace alcove::store
#endif  // HWY_ONCE
