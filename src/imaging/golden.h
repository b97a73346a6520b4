#pragma once
// For tests: the cases of tests/golden that concern pages, with what the originals made of them.

#include <string>
#include <vector>

#include "imaging/image.h"

namespace alcove::imaging {

struct GoldenPicture {
  std::string file;  // below tests/golden
  Image expected;    // upright RGB
  int max_abs = 0;   // the greatest difference that is still right
};
std::vector<GoldenPicture> golden_pictures();

struct GoldenLetterbox {
  std::string source, expected;  // files
};
std::vector<GoldenLetterbox> golden_letterboxes();

struct GoldenResize {  // Pillow's
  std::string name;
  Image source, expected;
};
std::vector<GoldenResize> golden_resizes();

struct GoldenCrop {
  std::string name, page;  // page: a file
  Box box;
  int width = 0;
  bool channel_swap = false;
  std::vector<float> expected;
};
std::vector<GoldenCrop> golden_crops();

}  // namespace alcove::imaging
