#pragma once
// The Hub's refusals as errors: what happened, and what to do about it.

#include "hub/repo.h"
#include "net/message.h"

namespace alcove::hub {

// What a call was about, for the sentence.
struct About {
  std::string what;      // "alice/net", or an account's action
  std::string revision;  // where one was named
  std::string path;      // where a file was named
  std::string endpoint;
  std::string token_source;  // empty: the call was anonymous
};

// Codes: revision_not_found, entry_not_found, gated, disabled, repo_not_found, bad_token, no_right,
// plan_required, conflict, parent_moved, too_large, rate_limited, refused (400 and other 4xx), busy (5xx).
Error error_of(const net::Reply& reply, const About& about);

// The server's own words, at most 300 characters of them; nothing when it sent a web page.
std::string words_of(const net::Reply& reply);

}  // namespace alcove::hub
