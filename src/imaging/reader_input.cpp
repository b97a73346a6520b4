#include <algorithm>
#include <cmath>

#include "imaging/image.h"
#include "imaging/reader_margin.h"

namespace alcove::imaging {

namespace {

constexpr int kReaderHeight = 32;

// Whole pixels as the original cuts them: towards zero, then inside 0..limit. Clamping first keeps the cast
// defined for whatever a detector answers; a NaN becomes 0.
int to_pixel(float value, int limit) {
  return value > 0 ? static_cast<int>(std::min(value, static_cast<float>(limit))) : 0;
}

}  // namespace

Result<std::vector<float>> reader_input(const Image& page, const Box& box, int width) {
  const bool on_page = box.right > 0 && box.bottom > 0 && box.left < page.width && box.top < page.height &&
                       box.left < box.right && box.top < box.bottom;
  if (!on_page)
    return fail(ErrorKind::Unreadable, "the box found lies outside the page; scan the whole sheet again",
                "empty_box");
  const int left = to_pixel(box.left - kReaderMargin, page.width),
            top = to_pixel(box.top - kReaderMargin, page.height);
  const int right = to_pixel(box.right + kReaderMargin, page.width);
  const int bottom = to_pixel(box.bottom + kReaderMargin, page.height);
  const Image cut = resize_pillow(to_grey(crop(page, left, top, right, bottom)), width, kReaderHeight);

  std::vector<float> input(cut.pixels.size());
  std::transform(cut.pixels.begin(), cut.pixels.end(), input.begin(),
                 [](std::uint8_t value) { return (value / 255.0f - 0.5f) / 0.5f; });
  return input;
}

}  // namespace alcove::imaging
