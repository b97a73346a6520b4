#pragma once
// Addresses of other servers.

#include <string>
#include <string_view>

#include "base/result.h"

namespace alcove::net {

struct Origin {  // what a credential belongs to
  std::string scheme, host;
  int port = 0;
  bool operator==(const Origin&) const = default;
};

// BadInput for anything but a whole http or https address without a user name in it.
Result<Origin> origin_of(const std::string& url);

// `location` as a browser standing at `base` understands it.
Result<std::string> resolve(const std::string& base, const std::string& location);

// Everything but A-Z a-z 0-9 - . _ ~ as %XX; with `keep_slashes` a path stays one.
std::string percent_encoded(std::string_view text, bool keep_slashes = false);

// For sentences: without query and user name, which may hold a signature or a password.
std::string shown(std::string_view url);

bool is_loopback(const Origin& origin);

}  // namespace alcove::net
