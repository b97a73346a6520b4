#pragma once
// The head of a reply whose body comes line by line.

#include <string>

#include "api/http.h"

namespace alcove::api {

// Neither kept by anybody nor held back until it is whole, by a proxy either.
inline Reply stream_head(std::string content_type) {
  Reply head{.content_type = std::move(content_type), .headers = {}};
  head.set_header("Cache-Control", "no-store");
  head.set_header("X-Accel-Buffering", "no");
  return head;
}

}  // namespace alcove::api
