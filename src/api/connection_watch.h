#pragma once
// Ends connections on which nobody asks anything: silence, and headers that come a byte a minute, would keep
// others out. Bodies have a time limit of their own.

#include <chrono>
#include <functional>
#include <map>
#include <mutex>

namespace alcove::api {

// Safe from any thread.
class ConnectionWatch {
 public:
  using Clock = std::chrono::steady_clock;
  using Key = const void*;

  // `patience` is for a connection without an open request. With more than `crowd` connections it shrinks to
  // a tenth.
  ConnectionWatch(Clock::duration patience, std::size_t crowd) : patience_(patience), crowd_(crowd) {}

  void opened(Key connection, Clock::time_point now, std::function<void()> close);
  void closed(Key connection);
  void request_began(Key connection);  // its headers are in
  void request_ended(Key connection, Clock::time_point now);
  void close_idle(Clock::time_point now);

 private:
  struct Connection {
    std::function<void()> close;
    Clock::time_point idle_since;
    int requests = 0;
  };

  const Clock::duration patience_;
  const std::size_t crowd_;
  std::mutex mutex_;
  std::map<Key, Connection> connections_;
};

}  // namespace alcove::api
