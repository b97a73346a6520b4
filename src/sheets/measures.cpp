#include "sheets/measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace alcove::sheets {
namespace {

constexpr int kLeastContrast = 24;  // grey levels between paper and ink; below, there is only noise
constexpr int kReaderHeight = 32;   // pixels: finer detail than this the readers do not see

using Histogram = std::array<int, 256>;

// The level that `share` of all entries lie at or below.
int percentile(const Histogram& histogram, double share) {
  int total = 0;
  for (const int count : histogram) total += count;
  int seen = 0, level = 0;
  for (; level < 255; ++level) {
    seen += histogram[static_cast<std::size_t>(level)];
    if (seen >= share * total) break;
  }
  return level;
}

imaging::Image as_readers_see(const imaging::Image& box) {
  if (box.height <= kReaderHeight) return box;
  const int width = std::max(2, box.width * kReaderHeight / box.height);
  return imaging::resize_pillow(box, width, kReaderHeight);
}

}  // namespace

float sharpness_of(const imaging::Image& page, const Box& box) {
  const int left = std::max(0, static_cast<int>(box.left)), top = std::max(0, static_cast<int>(box.top));
  const int right = std::min(page.width, static_cast<int>(std::ceil(box.right)));
  const int bottom = std::min(page.height, static_cast<int>(std::ceil(box.bottom)));
  if (right - left < 2 || bottom - top < 2) return 1;
  const auto grey = as_readers_see(imaging::to_grey(imaging::crop(page, left, top, right, bottom)));
  Histogram levels{}, steps{};
  for (int y = 0; y + 1 < grey.height; ++y) {
    const auto *row = grey.row(y), *below = grey.row(y + 1);
    for (int x = 0; x + 1 < grey.width; ++x) {
      ++levels[row[x]];
      const int step = std::max(std::abs(row[x + 1] - row[x]), std::abs(below[x] - row[x]));
      ++steps[static_cast<std::size_t>(step)];
    }
  }
  const int contrast = percentile(levels, 0.99) - percentile(levels, 0.01);
  if (contrast < kLeastContrast) return 1;
  return std::min(1.0F, static_cast<float>(percentile(steps, 0.99)) / static_cast<float>(contrast));
}

}  // namespace alcove::sheets
