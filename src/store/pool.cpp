#include "store/pool.h"

namespace alcove::store {

Result<std::unique_ptr<Pool>> Pool::open(const std::string& address, std::size_t connections,
                                         const ConnectionOptions& options) {
  auto pool = std::make_unique<Pool>();
  auto each = options;
  for (std::size_t i = 0; i < (is_postgres(address) ? connections : 1); ++i) {
    pool->free_.push_back(std::make_unique<Connection>(TRY(Connection::open(address, each))));
    each.exclusive = false;
  }
  return pool;
}

std::unique_ptr<Connection> Pool::take() {
  std::unique_lock lock(mutex_);
  came_back_.wait(lock, [this] { return !free_.empty(); });
  auto connection = std::move(free_.back());
  free_.pop_back();
  return connection;
}

void Pool::put_back(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(connection));
  }
  came_back_.notify_one();
}

}  // namespace alcove::store
