#pragma once
// One exchange with one server through libcurl: no redirect, no second try.

#include <memory>

#include "net/message.h"

namespace alcove::net {

class Transfer {  // a connection that may be used again; by one thread at a time
 public:
  static Result<Transfer> open();

  // `deadline` is the end of Limits::total, which redirects share; the time of the clock's start is none.
  Result<Reply> exchange(const Request& request, std::chrono::steady_clock::time_point deadline);

 private:
  struct Close {
    void operator()(void* handle) const;
  };
  explicit Transfer(void* handle) : handle_(handle) {}
  std::unique_ptr<void, Close> handle_;
};

}  // namespace alcove::net
