// Bilinear resize in the fixed point that OpenCV uses for 8-bit images: weights of 11 bits, the sum of a row
// kept in 19 bits, and a vertical step rounded the way its vector units do it (each product cut to 16 bits
// before the sum).

#include <emmintrin.h>  // SSE2, which every x86-64 has

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
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

// Of the 19 bits of a sum the lowest four are dropped before the vertical step anyway; the rest is positive.
constexpr int kDropped = 4;

void resize_grey_row(const std::uint8_t* in, const std::vector<Tap>& taps, std::int16_t* out) {
  for (const Tap& tap : taps)
    *out++ = static_cast<std::int16_t>(
        (in[tap.first] * tap.first_weight + in[tap.second] * tap.second_weight) >> kDropped);
}

// Four bytes of which three are wanted; the last pixel of a row has no fourth.
__m128i load_pixel(const std::uint8_t* row, int x, int width) {
  std::int32_t bytes = 0;
  if (x + 1 < width)
    std::memcpy(&bytes, row + std::size_t(x) * 3, 4);
  else
    std::memcpy(&bytes, row + std::size_t(x) * 3, 3);
  return _mm_cvtsi32_si128(bytes);
}

// Three channels at once, each the sum of two products. `out` has room for one number more.
void resize_rgb_row(const std::uint8_t* in, int width, const std::vector<Tap>& taps, std::int16_t* out) {
  const __m128i zero = _mm_setzero_si128();
  for (const Tap& tap : taps) {
    const __m128i pairs =
        _mm_unpacklo_epi8(load_pixel(in, tap.first, width), load_pixel(in, tap.second, width));
    const __m128i weights = _mm_set1_epi32(tap.first_weight | tap.second_weight << 16);
    const __m128i sums = _mm_srai_epi32(_mm_madd_epi16(_mm_unpacklo_epi8(pairs, zero), weights), kDropped);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm_packs_epi32(sums, sums));
    out += 3;
  }
}

void blend_rows(const std::int16_t* above, const std::int16_t* below, const Tap& tap, std::size_t count,
                std::uint8_t* out) {
  const auto first = static_cast<std::int16_t>(tap.first_weight);
  const auto second = static_cast<std::int16_t>(tap.second_weight);
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const auto load = [i](const std::int16_t* row) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + i));
    };
    const __m128i sum = _mm_add_epi16(_mm_add_epi16(_mm_mulhi_epi16(load(above), _mm_set1_epi16(first)),
                                                    _mm_mulhi_epi16(load(below), _mm_set1_epi16(second))),
                                      _mm_set1_epi16(2));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out + i),
                     _mm_packus_epi16(_mm_srai_epi16(sum, 2), _mm_setzero_si128()));
  }
  for (; i < count; ++i) {
    const int sum = ((first * above[i]) >> 16) + ((second * below[i]) >> 16) + 2;
    out[i] = static_cast<std::uint8_t>(std::min(sum >> 2, 255));
  }
}

// Exactly half the size in both directions: OpenCV averages the four pixels instead.
Image halve(const Image& image) {
  Image half = unwritten_image(image.width / 2, image.height / 2, image.channels);
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
  std::array<std::vector<std::int16_t>, 2> rows{std::vector<std::int16_t>(row_size + 1),
                                                std::vector<std::int16_t>(row_size + 1)};
  std::array<int, 2> held{-1, -1};
  const auto hold = [&](int slot, int y) {
    if (held[slot] == y) return;
    if (image.channels == 1)
      resize_grey_row(image.row(y), across, rows[slot].data());
    else
      resize_rgb_row(image.row(y), image.width, across, rows[slot].data());
    held[slot] = y;
  };

  Image resized = unwritten_image(width, height, image.channels);
  for (int y = 0; y < height; ++y) {
    if (held[1] == down[y].first) std::swap(rows[0], rows[1]), std::swap(held[0], held[1]);
    hold(0, down[y].first);
    hold(1, down[y].second);
    blend_rows(rows[0].data(), rows[1].data(), down[y], row_size, resized.row(y));
  }
  return resized;
}

}  // namespace alcove::imaging
