#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <utility>

#include "imaging/image.h"

namespace alcove::imaging {

namespace {

constexpr std::uint8_t kPaddingGrey = 114;

// Each byte / 255, so that no pixel is divided twice.
constexpr auto kShares = [] {
  std::array<float, 256> shares{};
  for (std::size_t i = 0; i < shares.size(); ++i) shares[i] = static_cast<float>(i) / 255.0f;
  return shares;
}();

// Python's round(): halves to even, which is also the floating-point unit's own mode.
int round_half_even(double value) { return static_cast<int>(std::nearbyint(value)); }

// A destination image filled pixel by pixel from `source_index(x, y)`, an index in pixels. Used for the
// turns, which touch each pixel once.
template <int channels, class SourceIndex>
void gather(const Image& from, Image& to, SourceIndex source_index) {
  std::uint8_t* out = to.pixels.data();
  for (int y = 0; y < to.height; ++y)
    for (int x = 0; x < to.width; ++x, out += channels) {
      const std::uint8_t* in = from.pixels.data() + source_index(x, y) * channels;
      for (int c = 0; c < channels; ++c) out[c] = in[c];
    }
}

template <class SourceIndex>
Image gathered(const Image& from, int width, int height, SourceIndex source_index) {
  Image to = unwritten_image(width, height, from.channels);
  if (from.channels == 1)
    gather<1>(from, to, source_index);
  else
    gather<3>(from, to, source_index);
  return to;
}

}  // namespace

Image make_image(int width, int height, int channels, std::uint8_t value) {
  assert(width > 0 && height > 0 && (channels == 1 || channels == 3));
  return {width, height, channels, Pixels(static_cast<std::size_t>(width) * height * channels, value)};
}

Image unwritten_image(int width, int height, int channels) {
  assert(width > 0 && height > 0 && (channels == 1 || channels == 3));
  return {width, height, channels, Pixels(static_cast<std::size_t>(width) * height * channels)};
}

Letterboxed letterbox(const Image& page, int size, int stride) {
  const double scale = std::min(double(size) / page.height, double(size) / page.width);
  // A strip thinner than half a pixel would vanish; the original fails there.
  const int width = std::max(1, round_half_even(page.width * scale));
  const int height = std::max(1, round_half_even(page.height * scale));
  const double side = (size - width) % stride / 2.0;
  const double above = (size - height) % stride / 2.0;
  // The tenth sends the odd pixel of padding to the right and to the bottom.
  const int left = round_half_even(side - 0.1), right = round_half_even(side + 0.1);
  const int top = round_half_even(above - 0.1), bottom = round_half_even(above + 0.1);

  const bool same_size = width == page.width && height == page.height;
  const Image resized = same_size ? Image{} : resize_linear(page, width, height);
  const Image& picture = same_size ? page : resized;
  Letterboxed result{make_image(width + left + right, height + top + bottom, page.channels, kPaddingGrey),
                     scale, left, top};
  for (int y = 0; y < height; ++y)
    std::copy_n(picture.row(y), picture.row_bytes(), result.image.row(top + y) + left * page.channels);
  return result;
}

Box to_page(const Box& letterboxed, const Letterboxed& geometry, const Image& page) {
  const double across = double(geometry.image.width) / page.width;
  const double down = double(geometry.image.height) / page.height;
  const double scale = std::min(across, down);
  const float left = round_half_even((geometry.image.width - page.width * scale) / 2 - 0.1);
  const float top = round_half_even((geometry.image.height - page.height * scale) / 2 - 0.1);
  const float divisor = scale;  // the original divides 32-bit numbers
  const auto x = [&](float value) { return std::clamp((value - left) / divisor, 0.0f, float(page.width)); };
  const auto y = [&](float value) { return std::clamp((value - top) / divisor, 0.0f, float(page.height)); };
  return {x(letterboxed.left), y(letterboxed.top), x(letterboxed.right), y(letterboxed.bottom)};
}

Image to_grey(const Image& image) {
  if (image.channels == 1) return image;
  Image grey = unwritten_image(image.width, image.height, 1);
  const std::uint8_t* in = image.pixels.data();
  for (std::size_t i = 0; i < grey.pixels.size(); ++i)
    grey.pixels[i] = (19595u * in[3 * i] + 38470u * in[3 * i + 1] + 7471u * in[3 * i + 2] + 32768u) >> 16;
  return grey;
}

Image crop(const Image& image, int left, int top, int right, int bottom) {
  left = std::max(left, 0), top = std::max(top, 0);
  right = std::min(right, image.width), bottom = std::min(bottom, image.height);
  assert(left < right && top < bottom);
  Image cut = unwritten_image(right - left, bottom - top, image.channels);
  for (int y = 0; y < cut.height; ++y)
    std::copy_n(image.row(top + y) + static_cast<std::size_t>(left) * image.channels, cut.row_bytes(),
                cut.row(y));
  return cut;
}

Image turn(const Image& image, int quarter_turns) {
  const std::size_t w = image.width, h = image.height;
  switch ((quarter_turns % 4 + 4) % 4) {
    case 1: return gathered(image, h, w, [=](std::size_t x, std::size_t y) { return (h - 1 - x) * w + y; });
    case 2:
      return gathered(image, w, h, [=](std::size_t x, std::size_t y) { return (h - 1 - y) * w + w - 1 - x; });
    case 3: return gathered(image, h, w, [=](std::size_t x, std::size_t y) { return x * w + w - 1 - y; });
    default: return image;
  }
}

Image mirror(const Image& image) {
  const std::size_t w = image.width;
  return gathered(image, image.width, image.height,
                  [=](std::size_t x, std::size_t y) { return y * w + w - 1 - x; });
}

Image swap_red_blue(const Image& image) {
  Image swapped = image;
  if (image.channels == 3)
    for (std::size_t i = 0; i + 2 < swapped.pixels.size(); i += 3)
      std::swap(swapped.pixels[i], swapped.pixels[i + 2]);
  return swapped;
}

std::vector<float> to_planes(const Image& image) {
  const std::size_t plane = static_cast<std::size_t>(image.width) * image.height;
  const std::size_t green = image.channels == 3 ? 1 : 0, blue = 2 * green;
  std::vector<float> planes(plane * 3);
  float* out = planes.data();
  const std::uint8_t* in = image.pixels.data();
  for (std::size_t i = 0; i < plane; ++i, in += image.channels) {
    out[i] = kShares[in[0]];
    out[plane + i] = kShares[in[green]];
    out[2 * plane + i] = kShares[in[blue]];
  }
  return planes;
}

}  // namespace alcove::imaging
