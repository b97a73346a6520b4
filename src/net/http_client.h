#pragma once
// Requests to other servers. net/ is the home of libcurl; proxies are taken from the usual environment.

#include <memory>

#include "net/message.h"

namespace alcove::net {

// Keeps connections open between requests and gives each thread one of its own. Safe from any thread.
class Client {
 public:
  Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  // One request and its redirects; certificates are always checked. BadInput for an address or header that
  // cannot be sent, TooLarge for a body over its limit; Unavailable, naming the address and the cause, when
  // no complete reply came. The error's code then is one of
  //   not_connected   nothing was sent
  //   no_answer       the connection broke or went silent before a whole head came
  //   cut             the body ended early
  //   timeout         one of the limits on time
  //   tls             the other side could not prove who it is
  //   redirects       in a circle, or too many, or out of https
  //   cancelled       the stop token was set
  Result<Reply> send(const Request& request) const;

 private:
  struct Pool;
  std::unique_ptr<Pool> pool_;
};

// The same on a connection of its own.
Result<Reply> send(const Request& request);

}  // namespace alcove::net
