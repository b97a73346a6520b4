// Any bytes as what a decode worker says: a page within the limits, plain words, or refused.

#include <algorithm>
#include <cstdlib>

#include "imaging/decode_messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  using namespace alcove::imaging;
  const DecodeLimits limits{.pixels = 1000, .side = 100, .pages = 5};
  (void)parse_request({data, size});
  const auto reply = parse_reply({data, size}, limits);
  if (!reply) return 0;
  if (const auto* page = std::get_if<PageAt>(&*reply))
    if (page->width < 1 || page->height < 1 || page->width > limits.side || page->height > limits.side ||
        page->width * page->height > 1000 || page->pages < 1 || page->pages > limits.pages)
      std::abort();
  if (const auto* cut = std::get_if<CutAt>(&*reply))
    if (cut->bytes == 0 || cut->pages < 1 || cut->pages > limits.pages) std::abort();
  if (const auto* error = std::get_if<Error>(&*reply))
    if (error->kind == ErrorKind::Internal ||
        !std::ranges::all_of(error->message, [](char c) { return c >= ' ' && c <= '~'; }))
      std::abort();
  if (const auto* ended = std::get_if<WorkerEnded>(&*reply))
    if (reason_of(*ended, 1000, 10).code.empty()) std::abort();
  return 0;
}
