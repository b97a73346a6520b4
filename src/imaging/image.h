#pragma once
// Pixels, and the exact geometry the originals apply to them.

#include <array>
#include <cstdint>
#include <vector>

#include "base/box.h"
#include "base/bytes.h"

namespace alcove::imaging {

// 8 bits a channel, rows top to bottom without padding. 3 channels are R, G, B; 1 is grey.
struct Image {
  int width = 0;
  int height = 0;
  int channels = 3;
  std::vector<std::uint8_t> pixels;  // width * height * channels
};

// As Ultralytics prepares a page (LetterBox, auto, stride 32): the longer side becomes `size`, the rest is
// padded with grey 114 to the smallest multiple of `stride`, the picture centred. Bilinear as OpenCV's
// INTER_LINEAR on 8 bits: equal bytes when shrinking.
struct Letterboxed {
  Image image;
  double scale = 1;       // letterboxed pixels per page pixel
  int left = 0, top = 0;  // padding before the picture
};
Letterboxed letterbox(const Image& page, int size = 640, int stride = 32);
Box to_page(const Box& letterboxed, const Letterboxed& geometry,
            const Image& page);  // back to page pixels, clamped

// OpenCV's INTER_LINEAR for 8-bit images, any channel count.
Image resize_linear(const Image& image, int width, int height);
// Pillow's resize(BILINEAR): the triangle filter widened when shrinking, fixed-point with 8 + 14 bits,
// horizontal pass first. Equal bytes.
Image resize_pillow(const Image& image, int width, int height);
// Pillow's convert("L"): (19595 R + 38470 G + 7471 B + 32768) >> 16.
Image to_grey(const Image& image);
Image crop(const Image& image, int left, int top, int right,
           int bottom);                             // clamped; at least one pixel must remain
Image turn(const Image& image, int quarter_turns);  // clockwise, 0..3

// [3, H, W] R, G, B planes, / 255.
std::vector<float> to_planes(const Image& image);
// The readers' input: box widened by 10 px, clamped, grey, Pillow-resized to width × 32, (x / 255 − 0.5) /
// 0.5; [1, 32, width]. Unreadable when nothing of the box lies on the page.
Result<std::vector<float>> reader_input(const Image& page, const Box& box, int width);

}  // namespace alcove::imaging
