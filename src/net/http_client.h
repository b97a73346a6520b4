#pragma once
// Requests to other servers. Home of libcurl.

#include <chrono>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace alcove::net {

struct Response {
  int status = 0;  // as the server gave it; 4xx and 5xx are responses, not errors
  std::string body;
};

struct FormFile {  // one field of a multipart form
  std::string field;
  std::string file_name;
  Bytes content;
};

struct Limits {
  std::chrono::milliseconds connect{2'000};
  std::chrono::milliseconds total{60'000};
  std::size_t body = 64u << 20;  // bytes of the reply; more is TooLarge
};

// Plain requests on a connection of their own; safe from any thread. Unavailable, naming the address and the
// cause, when no complete reply came. Redirects are not followed.
Result<Response> get(const std::string& url, const Limits& limits = {});
Result<Response> post_form(const std::string& url, const std::vector<FormFile>& files,
                           const Limits& limits = {});

}  // namespace alcove::net
