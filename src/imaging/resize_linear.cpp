// Bilinear resize in the fixed point that OpenCV uses for 8-bit images: weights of 11 bits, the sum of a row
// kept in 19 bits, and a vertical step rounded the way its vector units do it (each product cut to 16 bits
// before the sum).

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <utility>

#include "imaging/image.h"

namespace alcove::imaging {

namespace {

constexpr int kWeightOne = 1 << 11;

// Where a destination pixel lies between two source pixels.
struct Tap {
  int first = 0, second = 0;
  std::int32_t first_weight = kWeightOne, second_weight = 0;
};

std::vector<Tap> make_taps(int source, int destination) {
  // The reciprocal of a reciprocal, in single precision: the last bit decides where rounding falls.
  const double scale = 1.0 / (static_cast<double>(destination) / source);
  std::vector<Tap> taps(destination);
  for (int i = 0; i < destination; ++i) {
    const float position = static_cast<float>((i + 0.5) * scale - 0.5);
    const int first = static_cast<int>(std::floor(position));
    const float fraction = position - static_cast<float>(first);
    taps[i] = {std::clamp(first, 0, source - 1), std::clamp(first + 1, 0, source - 1),
               static_cast<std::int32_t>(std::lrintf((1.0f - fraction) * kWeightOne)),
               static_cast<std::int32_t>(std::lrintf(fraction * kWeightOne))};
  }
  return taps;
}

template <int channels>
void resize_row(const std::uint8_t* in, const std::vector<Tap>& taps, std::int32_t* out) {
  for (const Tap& tap : taps) {
    const std::uint8_t *first = in + std::size_t(tap.first) * channels,
                       *second = in + std::size_t(tap.second) * channels;
    for (int c = 0; c < channels; ++c) out[c] = first[c] * tap.first_weight + second[c] * tap.second_weight;
    out += channels;
  }
}

void blend_rows(const std::int32_t* above, const std::int32_t* below, const Tap& tap, std::size_t count,
                std::uint8_t* out) {
  const std::int32_t first = tap.first_weight, second = tap.second_weight;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t sum = ((first * (above[i] >> 4)) >> 16) + ((second * (below[i] >> 4)) >> 16) + 2;
    out[i] = static_cast<std::uint8_t>(std::min(sum >> 2, 255));
  }
}

// Exactly half the size in both directions: OpenCV averages the four pixels instead.
Image halve(const Image& image) {
  Image half = make_image(image.width / 2, image.height / 2, image.channels);
  for (int y = 0; y < half.height; ++y) {
    const std::uint8_t *above = image.row(2 * y), *below = image.row(2 * y + 1);
    std::uint8_t* out = half.row(y);
    for (int x = 0; x < half.width; ++x)
      for (int c = 0; c < image.channels; ++c) {
        const int left = 2 * x * image.channels + c, right = left + image.channels;
        *out++ =
            static_cast<std::uint8_t>((above[left] + above[right] + below[left] + below[right] + 2) >> 2);
      }
  }
  return half;
}

}  // namespace

Image resize_linear(const Image& image, int width, int height) {
  assert(width > 0 && height > 0 && (image.channels == 1 || image.channels == 3));
  if (width == image.width && height == image.height) return image;
  if (width * 2 == image.width && height * 2 == image.height) return halve(image);

  const auto across = make_taps(image.width, width), down = make_taps(image.height, height);
  const std::size_t row_size = static_cast<std::size_t>(width) * image.channels;
  // The two source rows last used, resized sideways; neighbouring destination rows share them when enlarging.
  std::array<std::vector<std::int32_t>, 2> rows{std::vector<std::int32_t>(row_size),
                                                std::vector<std::int32_t>(row_size)};
  std::array<int, 2> held{-1, -1};
  const auto hold = [&](int slot, int y) {
    if (held[slot] == y) return;
    if (image.channels == 1)
      resize_row<1>(image.row(y), across, rows[slot].data());
    else
      resize_row<3>(image.row(y), across, rows[slot].data());
    held[slot] = y;
  };

  Image resized = make_image(width, height, image.channels);
  for (int y = 0; y < height; ++y) {
    if (held[1] == down[y].first) std::swap(rows[0], rows[1]), std::swap(held[0], held[1]);
    hold(0, down[y].first);
    hold(1, down[y].second);
    blend_rows(rows[0].data(), rows[1].data(), down[y], row_size, resized.row(y));
  }
  return resized;
}

}  // namespace alcove::imaging
