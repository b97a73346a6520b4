#pragma once
// A page that lies on its side, on its head or askew, brought upright and read.

#include "imaging/image.h"
#include "sheets/reader.h"

namespace alcove::sheets {

// As SheetReader::read(), on the page as people would hold it; `orientation` and `skew` say what was done.
//
// A page whose lines climb is levelled and read. When that goes badly, the other ways to hold it are tried on
// a small copy: the three turns, each levelled, and the page not levelled after all. The one with the most in
// its boxes (score_of) is read, if it is better by enough. A page that lies straight and is read well is read
// once, as it stands.
Result<SheetReading> read_upright(SheetReader& reader, const imaging::Image& page);

// What was found, counted: the sum over both fields of the best box's confidence times its text's. 0..2.
double score_of(const SheetReading& reading);

// The page as a reading saw it.
imaging::Image as_read(const imaging::Image& page, const SheetReading& reading);

}  // namespace alcove::sheets
