#pragma once
// Pictures as PDF pages, as large as at 200 dpi. Safe from any thread.

#include <optional>
#include <string>

#include "base/bytes.h"
#include "imaging/decoder.h"

namespace alcove::imaging {

// One page with the picture's own compressed bytes inside: nothing is decoded, so nothing is lost. JPEG (grey
// or colour, turned as its EXIF says) and PNG that is neither interlaced nor transparent; none for anything
// else, and for what is damaged.
std::optional<std::string> picture_as_pdf(Bytes picture);

// Any picture: as above where that can be done, else each of its pages decoded, upright, on white, and kept
// as a JPEG of high quality. Errors are the decoder's, and TooLarge for pages beyond 256 MB.
Result<std::string> any_picture_as_pdf(Decoder& decoder, Bytes picture);

}  // namespace alcove::imaging
