#pragma once
// Pixels, and the exact geometry the originals apply to them. Pure functions; safe from any thread.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/box.h"
#include "base/result.h"
#include "imaging/pixel_memory.h"

namespace alcove::imaging {

// 8 bits a channel, rows top to bottom without padding. 3 channels are R, G, B; 1 is grey.
struct Image {
  int width = 0;
  int height = 0;
  int channels = 3;
  Pixels pixels;  // width * height * channels

  std::size_t row_bytes() const { return static_cast<std::size_t>(width) * channels; }
  std::uint8_t* row(int y) { return pixels.data() + row_bytes() * y; }
  const std::uint8_t* row(int y) const { return pixels.data() + row_bytes() * y; }
};
// Every byte `value`; width, height at least 1, channels 1 or 3.
Image make_image(int width, int height, int channels, std::uint8_t value = 0);
// The same with whatever the memory held, for whoever writes every byte before anybody sees it.
Image unwritten_image(int width, int height, int channels);

// As Ultralytics prepares a page (LetterBox, auto, stride 32): the longer side becomes `size`, the rest is
// padded with grey 114 to the smallest multiple of `stride`, the picture centred. Bilinear as OpenCV's
// INTER_LINEAR on 8 bits: equal bytes.
struct Letterboxed {
  Image image;
  double scale = 1;       // letterboxed pixels per page pixel
  int left = 0, top = 0;  // padding before the picture
};
Letterboxed letterbox(const Image& page, int size = 640, int stride = 32);
// Back to page pixels, clamped. As Ultralytics' scale_boxes, which takes scale and padding anew from the two
// sizes; its padding may differ by one from the one drawn.
Box to_page(const Box& letterboxed, const Letterboxed& geometry, const Image& page);

// OpenCV's INTER_LINEAR for 8-bit images: equal bytes.
Image resize_linear(const Image& image, int width, int height);
// Pillow's resize(BILINEAR): the triangle filter widened when shrinking, fixed-point with 22 bits of
// fraction. Bytes equal Pillow 13; older ones differ by one in places.
Image resize_pillow(const Image& image, int width, int height);
// Pillow's convert("L"): (19595 R + 38470 G + 7471 B + 32768) >> 16. A grey image stays as it is.
Image to_grey(const Image& image);
// Pixels left ≤ x < right, top ≤ y < bottom, clamped to the image; at least one pixel must remain.
Image crop(const Image& image, int left, int top, int right, int bottom);
Image turn(const Image& image, int quarter_turns);  // clockwise, any count
Image mirror(const Image& image);                   // left becomes right
Image swap_red_blue(const Image& image);            // what compat_channel_swap asks for

// [3, H, W] R, G, B planes, / 255; a grey image gives three equal planes.
std::vector<float> to_planes(const Image& image);
// The readers' input: box cut to whole pixels, widened by 10 px, clamped, grey, Pillow-resized to width × 32,
// (x / 255 − 0.5) / 0.5; [1, 32, width]. Unreadable (code empty_box) when nothing of the box lies on the
// page.
Result<std::vector<float>> reader_input(const Image& page, const Box& box, int width);

}  // namespace alcove::imaging
