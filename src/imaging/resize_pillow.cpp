// Pillow's BILINEAR: a triangle over every source pixel it covers, as wide as the shrinking factor, in fixed
// point.

#include <algorithm>
#include <cassert>
#include <cmath>

#include "imaging/image.h"

namespace alcove::imaging {

namespace {

constexpr int kFractionBits = 32 - 8 - 2;  // room for 8 bits of pixel and a sum slightly over one
constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);

struct Filter {
  struct Window {
    int first = 0, count = 0;
  };
  std::vector<Window> windows;        // one for each destination pixel
  std::vector<std::int32_t> weights;  // `stride` for each window
  int stride = 0;

  const std::int32_t* weights_of(int i) const {
    return weights.data() + static_cast<std::size_t>(i) * stride;
  }
};

Filter make_filter(int source, int destination) {
  const double scale = static_cast<double>(source) / destination;
  const double widening = std::max(scale, 1.0);
  const double support = widening;  // the triangle reaches one pixel to either side
  Filter filter;
  filter.stride = static_cast<int>(std::ceil(support)) * 2 + 1;
  filter.windows.resize(destination);
  filter.weights.resize(static_cast<std::size_t>(destination) * filter.stride);
  std::vector<double> exact(filter.stride);
  for (int i = 0; i < destination; ++i) {
    const double centre = (i + 0.5) * scale;
    const double inverse = 1.0 / widening;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int count = std::min(source, static_cast<int>(centre + support + 0.5)) - first;
    double sum = 0;
    for (int k = 0; k < count; ++k) {
      exact[k] = std::max(0.0, 1.0 - std::fabs((k + first - centre + 0.5) * inverse));
      sum += exact[k];
    }
    std::int32_t* weights = filter.weights.data() + static_cast<std::size_t>(i) * filter.stride;
    for (int k = 0; k < count; ++k)
      weights[k] =
          static_cast<std::int32_t>(0.5 + (sum != 0 ? exact[k] / sum : exact[k]) * (1 << kFractionBits));
    filter.windows[i] = {first, count};
  }
  return filter;
}

std::uint8_t to_byte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

template <int channels>
void resize_row(const std::uint8_t* in, const Filter& filter, std::uint8_t* out) {
  for (std::size_t x = 0; x < filter.windows.size(); ++x, out += channels) {
    const auto [first, count] = filter.windows[x];
    const std::int32_t* weights = filter.weights_of(static_cast<int>(x));
    const std::uint8_t* pixel = in + static_cast<std::size_t>(first) * channels;
    std::int32_t sums[channels];
    std::fill_n(sums, channels, kHalf);
    for (int k = 0; k < count; ++k, pixel += channels)
      for (int c = 0; c < channels; ++c) sums[c] += pixel[c] * weights[k];
    for (int c = 0; c < channels; ++c) out[c] = to_byte(sums[c]);
  }
}

Image resize_across(const Image& image, int width) {
  const Filter filter = make_filter(image.width, width);
  Image resized = unwritten_image(width, image.height, image.channels);
  for (int y = 0; y < image.height; ++y) {
    if (image.channels == 1)
      resize_row<1>(image.row(y), filter, resized.row(y));
    else
      resize_row<3>(image.row(y), filter, resized.row(y));
  }
  return resized;
}

Image resize_down(const Image& image, int height) {
  const Filter filter = make_filter(image.height, height);
  Image resized = unwritten_image(image.width, height, image.channels);
  const std::size_t count = image.row_bytes();
  std::vector<std::int32_t> sums(count);
  for (int y = 0; y < height; ++y) {
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int k = 0; k < filter.windows[y].count; ++k) {
      const std::uint8_t* in = image.row(filter.windows[y].first + k);
      const std::int32_t weight = filter.weights_of(y)[k];
      for (std::size_t i = 0; i < count; ++i) sums[i] += in[i] * weight;
    }
    std::transform(sums.begin(), sums.end(), resized.row(y), to_byte);
  }
  return resized;
}

}  // namespace

Image resize_pillow(const Image& image, int width, int height) {
  assert(width > 0 && height > 0 && (image.channels == 1 || image.channels == 3));
  // A pass that would change nothing is left out. Each pass rounds to bytes, so their order shows in the last
  // bit: Pillow 13 begins with the rows when they shrink by more than twice what the columns do; older ones
  // never do.
  if (width == image.width) return height == image.height ? image : resize_down(image, height);
  if (height == image.height) return resize_across(image, width);
  const bool rows_first = height < image.height && 2 * (image.width - width) < image.height - height;
  return rows_first ? resize_across(resize_down(image, height), width)
                    : resize_down(resize_across(image, width), height);
}

}  // namespace alcove::imaging
