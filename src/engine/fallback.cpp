#include "engine/fallback.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "base/log.h"
#include "engine/plugin.h"

namespace alcove::engine {
namespace {

bool all_finite(const std::vector<Array>& outputs) {
  return std::ranges::all_of(outputs, [](const Array& output) {
    return std::ranges::all_of(output.values, [](float value) { return std::isfinite(value); });
  });
}

class FallbackSession : public Session {
 public:
  FallbackSession(std::unique_ptr<Session> device, MakeSession make, std::atomic<bool>& lost)
      : device_(std::move(device)), make_(std::move(make)), lost_(lost) {}

  Result<std::vector<Array>> run(std::span<const Input> inputs) override {
    return on_either([&](Session& session) { return session.run(inputs); });
  }
  Result<void> warm_up(std::span<const std::int64_t> shape) override {
    return on_either([&](Session& session) { return session.warm_up(shape); });
  }

  using Session::run;
  Precision precision() const override {
    std::lock_guard lock(mutex_);
    return lost_ && cpu_ ? cpu_->precision() : device_->precision();
  }
  bool loaded_from_cache() const override { return device_->loaded_from_cache(); }

 private:
  template <class Run>
  auto on_either(Run&& attempt) -> decltype(attempt(std::declval<Session&>())) {
    if (!lost_) {
      auto done = attempt(*device_);
      const auto why = reason_to_leave(done);
      if (why.empty()) return done;
      log(LogLevel::Warning, "run_left_to_cpu", {{"reason", why}});
    }
    return attempt(*TRY(cpu()));
  }

  template <class Done>
  std::string reason_to_leave(const Done& done) {
    if constexpr (std::is_same_v<Done, Result<std::vector<Array>>>)
      if (done && !all_finite(*done)) return "the device gave a number that is none";
    if (done) return {};
    if (done.error().code == kDeviceLost && !lost_.exchange(true))
      log(LogLevel::Error, "device_lost", {{"reason", done.error().message}});
    return done.error().code.empty() ? std::string() : done.error().message;
  }

  Result<Session*> cpu() {
    std::lock_guard lock(mutex_);
    if (!cpu_) cpu_ = TRY(make_());
    return cpu_.get();
  }

  const std::unique_ptr<Session> device_;
  const MakeSession make_;
  std::atomic<bool>& lost_;
  mutable std::mutex mutex_;  // of what follows
  std::unique_ptr<Session> cpu_;
};

}  // namespace

std::unique_ptr<Session> with_fallback(std::unique_ptr<Session> device, MakeSession make,
                                       std::atomic<bool>& lost) {
  return std::make_unique<FallbackSession>(std::move(device), std::move(make), lost);
}

}  // namespace alcove::engine
