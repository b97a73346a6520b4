#pragma once
// Which connections are held for nothing: those on which nobody asks anything are ended, since silence, and
// headers that come a byte a minute, would keep others out; and it is known who asks without reading the
// replies, which would pile up here. Bodies have a time limit of their own.

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
  bool is_crowded() const;

  // Whether replies wait in this process for the other side to read what it has.
  void set_unread(Key connection, bool unread);
  bool is_unread(Key connection) const;

 private:
  struct Connection {
    std::function<void()> close;
    Clock::time_point idle_since;
    int requests = 0;
    bool unread = false;
  };

  const Clock::duration patience_;
  const std::size_t crowd_;
  mutable std::mutex mutex_;
  std::map<Key, Connection> connections_;
};

}  // namespace alcove::api
