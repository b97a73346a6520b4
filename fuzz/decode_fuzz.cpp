// A page of any bytes: whatever they are, the answer is a page within the limits or an error with a code.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "imaging/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  alcove::imaging::DecodeOptions options;
  // Small enough that time goes into the decoders' own code.
  options.limits = {.pixels = 1'000'000, .side = 4'000, .pages = 20};
  options.dpi = 20;
  const auto page = alcove::imaging::decode_page({data, size}, options);
  if (!page) {
    if (page.error().code.empty() || page.error().message.empty()) std::abort();
    return 0;
  }
  const auto& image = page->image;
  const auto pixels = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  if (image.channels != 3 || image.pixels.size() != pixels * 3 || pixels == 0) std::abort();
  if (pixels > options.limits.pixels || page->pages > options.limits.pages) std::abort();
  return 0;
}
