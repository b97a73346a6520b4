#pragma once
// How far the lines of a page climb, and the page turned so that they do not. Pure functions; safe from any
// thread.

#include "imaging/image.h"

namespace alcove::imaging {

// Skew that is looked for, degrees to either side.
constexpr double kMostSkew = 12;

// Degrees clockwise by which the page has to be turned for its printed lines to lie level, to a tenth: from
// the edges of ruled lines and of lines of text on a small copy, by the angle at which they fall into the
// fewest rows (projection profile). 0 when no angle stands out.
double find_skew(const Image& page);

// Turned clockwise about its middle, bilinear, on a canvas that holds the whole page; white around it.
Image rotate(const Image& page, double degrees);

// The page as it is, or with its longer side `side` pixels long when that is less.
Image shrunk_to(const Image& page, int side);

}  // namespace alcove::imaging
