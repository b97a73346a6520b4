#pragma once
// How good the picture of a box is, for telling people what to do better.

#include "base/box.h"
#include "imaging/image.h"

namespace alcove::sheets {

// The steepest edges of the box (99th percentile of the step between neighbouring pixels) as a share of the
// box's contrast, at the size the readers see it: a fine scan may be soft by a few pixels and lose nothing.
// 1: black turns to white from one pixel to the next; 0.1: over ten pixels. 1 when the box holds nothing to
// judge by.
float sharpness_of(const imaging::Image& page, const Box& box);

}  // namespace alcove::sheets
