#pragma once
// The one fact we take from EXIF.

#include "base/bytes.h"

namespace alcove::imaging {

// The orientation, 1..8, from the TIFF block that EXIF is (without JPEG's "Exif\0\0" before it). 1, upright,
// when it is missing or the block is damaged: a page is worth reading without its EXIF.
int exif_orientation(Bytes exif);

}  // namespace alcove::imaging
