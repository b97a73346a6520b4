#pragma once
// A picture as a PDF of one page, its own compressed bytes inside: nothing is decoded, so nothing is lost.
// Pure; safe from any thread.

#include <optional>
#include <string>

#include "base/bytes.h"

namespace alcove::imaging {

// JPEG (grey or colour, turned as its EXIF says) and PNG that is neither interlaced nor transparent. The page
// is as large as the picture at 200 dpi. None for anything else, and for what is damaged: whoever calls falls
// back on decoding it.
std::optional<std::string> picture_as_pdf(Bytes picture);

}  // namespace alcove::imaging
