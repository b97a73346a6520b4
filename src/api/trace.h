#pragma once
// W3C trace context: the caller's trace, so that a log line is found from the other side.

#include <string>
#include <string_view>

namespace alcove::api {

struct Trace {
  std::string id;      // 32 hexadecimal digits; empty when the caller sent none
  std::string parent;  // the caller's span, 16
};

// A `traceparent` header; anything that does not keep to the recommendation is as good as none.
Trace parse_traceparent(std::string_view header);

}  // namespace alcove::api
