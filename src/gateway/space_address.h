#pragma once
// The address of a Space, and what people paste instead of it.

#include <string>

#include "base/result.h"

namespace alcove::gateway {

struct SpaceAddress {
  std::string url;   // of the app, without a slash at the end
  std::string logs;  // where its logs are to be seen
};

// `url` is what HF_SPACE_URL says, `repository` (OWNER/NAME) may be empty. BadInput, naming the address that
// is meant, for the Space's page on the Hub, and for what is no address at all.
Result<SpaceAddress> parse_space_address(const std::string& url, const std::string& repository);

// The host the Hub gives to OWNER/NAME: lower case, runs of anything else one dash.
std::string host_of_space(const std::string& repository);

}  // namespace alcove::gateway
