#pragma once
// A reply into a file, going on where an earlier try or an earlier run ended.

#include "net/retry.h"

namespace alcove::net {

struct Download {
  Request request;             // its sink and Range are set here
  std::filesystem::path part;  // appended to; what it holds is taken as the beginning of the same content
  std::optional<std::uint64_t> size;                 // of the whole, where known
  RetryRule rule{};                                  // tries are counted anew whenever the file grows
  std::function<void(std::uint64_t done)> progress;  // bytes of the file so far
};

struct Downloaded {
  Reply reply;             // of the last exchange: 2xx, or the refusal
  std::uint64_t size = 0;  // of the file now
};

// A server that ignores Range (200) makes the file begin anew. A body that is cut is asked for from there.
// TooLarge as soon as more bytes come than `size`; Unavailable when the tries are used up or fewer came: what
// arrived stays in the file for the next run.
Result<Downloaded> download(const Client& client, const Download& what);

}  // namespace alcove::net
