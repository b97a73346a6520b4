#include "api/connection_watch.h"

#include <utility>
#include <vector>

namespace alcove::api {

void ConnectionWatch::opened(Key connection, Clock::time_point now, std::function<void()> close) {
  const std::lock_guard lock(mutex_);
  connections_[connection] = {std::move(close), now};
}

void ConnectionWatch::closed(Key connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
}

void ConnectionWatch::request_began(Key connection) {
  const std::lock_guard lock(mutex_);
  if (const auto found = connections_.find(connection); found != connections_.end()) ++found->second.requests;
}

void ConnectionWatch::request_ended(Key connection, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  --found->second.requests;
  found->second.idle_since = now;
}

bool ConnectionWatch::is_crowded() const {
  const std::lock_guard lock(mutex_);
  return connections_.size() > crowd_;
}

void ConnectionWatch::set_unread(Key connection, bool unread) {
  const std::lock_guard lock(mutex_);
  if (const auto found = connections_.find(connection); found != connections_.end())
    found->second.unread = unread;
}

bool ConnectionWatch::is_unread(Key connection) const {
  const std::lock_guard lock(mutex_);
  const auto found = connections_.find(connection);
  return found != connections_.end() && found->second.unread;
}

void ConnectionWatch::close_idle(Clock::time_point now) {
  std::vector<std::function<void()>> closing;
  {
    const std::lock_guard lock(mutex_);
    const auto patience = connections_.size() > crowd_ ? patience_ / 10 : patience_;
    for (const auto& [key, connection] : connections_)
      if (connection.requests <= 0 && now - connection.idle_since > patience)
        closing.push_back(connection.close);
  }
  for (const auto& close : closing) close();
}

}  // namespace alcove::api
