#pragma once
// How much of the page around a box the readers are shown.

namespace alcove::imaging {

constexpr int kReaderMargin = 10;  // pixels of the page, on each side, as far as there is page

}  // namespace alcove::imaging
