#pragma once
// Where a reply sends a request next, as a pure rule: credentials never leave the origin they were meant for.

#include <optional>
#include <set>

#include "net/message.h"

namespace alcove::net {

constexpr int kMostRedirects = 20;

// What a chain of redirects has seen so far.
struct Trail {
  std::set<std::string> seen;  // "METHOD url"
};

// The request to send next, or nothing when `reply` is the answer. Authorization, X-HF-Authorization and
// Cookie are dropped on the way to another origin; 303, and 301 and 302 after a POST, turn into GET without a
// body.
Result<std::optional<Request>> next_request(const Request& request, const Reply& reply, Trail& trail);

}  // namespace alcove::net
