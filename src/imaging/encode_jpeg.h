#pragma once
// Pixels to a JPEG file, for showing a page to somebody.

#include <string>

#include "imaging/image.h"

namespace alcove::imaging {

// RGB or grey; quality 1..100. BadInput for an image without pixels or with sides JPEG cannot have (over
// 65,500).
Result<std::string> encode_jpeg(const Image& image, int quality);

}  // namespace alcove::imaging
