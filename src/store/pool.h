#pragma once
// Connections that several threads share: each is lent to one of them at a time.

#include <condition_variable>
#include <mutex>

#include "store/connection.h"

namespace alcove::store {

// Safe from any thread. One connection for SQLite, which has one writer anyway and whose waiters would sleep
// between looks; several for PostgreSQL.
class Pool {
 public:
  // `exclusive` is asked of the first connection, which stays open.
  static Result<std::unique_ptr<Pool>> open(const std::string& address, std::size_t connections,
                                            const ConnectionOptions& options = {});

  class Lent {
   public:
    explicit Lent(Pool& pool) : pool_(pool), connection_(pool.take()) {}
    Lent(const Lent&) = delete;
    ~Lent() { pool_.put_back(std::move(connection_)); }
    Connection& operator*() { return *connection_; }
    Connection* operator->() { return connection_.get(); }

   private:
    Pool& pool_;
    std::unique_ptr<Connection> connection_;
  };
  Lent lend() { return Lent(*this); }  // waits for one that is free

 private:
  std::unique_ptr<Connection> take();
  void put_back(std::unique_ptr<Connection> connection);

  std::mutex mutex_;
  std::condition_variable came_back_;
  std::vector<std::unique_ptr<Connection>> free_;
};

}  // namespace alcove::store
