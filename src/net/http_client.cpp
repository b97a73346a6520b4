#include "net/http_client.h"

#include <mutex>

#include "net/redirect.h"
#include "net/transfer.h"

namespace alcove::net {

struct Client::Pool {
  std::mutex mutex;
  std::vector<Transfer> idle;

  Result<Transfer> take() {
    const std::scoped_lock lock(mutex);
    if (idle.empty()) return Transfer::open();
    auto last = std::move(idle.back());
    idle.pop_back();
    return last;
  }
  void give_back(Transfer transfer) {
    const std::scoped_lock lock(mutex);
    idle.push_back(std::move(transfer));
  }
};

Client::Client() : pool_(std::make_unique<Pool>()) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

namespace {

Result<Reply> follow(Transfer& transfer, Request request) {
  using Clock = std::chrono::steady_clock;
  const auto total = request.limits.total;
  const auto deadline = total.count() > 0 ? Clock::now() + total : Clock::time_point();
  Trail trail;
  while (true) {
    auto reply = TRY(transfer.exchange(request, deadline));
    auto next = TRY(next_request(request, reply, trail));
    if (!next) return reply;
    request = *std::move(next);
  }
}

}  // namespace

Result<Reply> Client::send(const Request& request) const {
  auto transfer = TRY(pool_->take());
  auto reply = follow(transfer, request);
  pool_->give_back(std::move(transfer));
  return reply;
}

Result<Reply> send(const Request& request) {
  auto transfer = TRY(Transfer::open());
  return follow(transfer, request);
}

}  // namespace alcove::net
