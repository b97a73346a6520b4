#include "engine/half_gate.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>

#include "base/log.h"

namespace alcove::engine {
namespace {

bool alike(const Array& full, const Array& half, const HalfAllowance& allowance) {
  if (full.shape != half.shape || full.values.size() != half.values.size()) return false;
  double apart = 0, length = 0;
  std::size_t within = 0;
  for (std::size_t i = 0; i < full.values.size(); ++i) {
    const double wanted = full.values[i], difference = std::abs(half.values[i] - wanted);
    within += difference <= allowance.absolute + allowance.relative * std::abs(wanted);
    apart += difference * difference;
    length += wanted * wanted;
  }
  // Not a number fails both: it compares false.
  return static_cast<double>(within) >= allowance.share * static_cast<double>(full.values.size()) &&
         std::sqrt(apart) <= allowance.norm * std::sqrt(length) + 1e-9;
}

// Inputs for any model: waves, and for texts ones, which every vocabulary and mask has.
struct Pattern {
  Pattern(const std::vector<graph::Port>& ports, std::span<const std::int64_t> shape)
      : ones(std::accumulate(
                 shape.begin(), shape.end(), std::size_t{1},
                 [](std::size_t count, std::int64_t size) { return count * static_cast<std::size_t>(size); }),
             1) {
    for (std::size_t i = 0; i < ones.size(); ++i)
      waves.push_back(0.5F + 0.5F * std::sin(0.37F * static_cast<float>(i % 1021)));
    for (const auto& port : ports)
      if (port.type == graph::ElementType::I64)
        inputs.push_back({shape, ones});
      else
        inputs.push_back({shape, waves});
  }
  std::vector<std::int64_t> ones;
  std::vector<float> waves;
  std::vector<Input> inputs;
};

class HalfGate : public Session {
 public:
  HalfGate(std::unique_ptr<Session> full, std::unique_ptr<Session> half, std::vector<graph::Port> inputs,
           bool insisted)
      : full_(std::move(full)), half_(std::move(half)), inputs_(std::move(inputs)), insisted_(insisted) {}

  Result<std::vector<Array>> run(std::span<const Input> inputs) override {
    return TRY(taken(inputs))->run(inputs);
  }

  Result<void> warm_up(std::span<const std::int64_t> shape) override {
    if (auto* session = taken_.load()) return session->warm_up(shape);
    TRY(full_->warm_up(shape));  // which also says whether the model takes that shape
    TRY(taken(Pattern(inputs_, shape).inputs));
    return {};
  }

  using Session::run;
  Precision precision() const override { return precision_; }
  bool loaded_from_cache() const override { return false; }

 private:
  Result<Session*> taken(std::span<const Input> inputs) {
    if (auto* session = taken_.load()) return session;
    std::lock_guard lock(mutex_);
    if (auto* session = taken_.load()) return session;
    const auto wanted = TRY(full_->run(inputs));
    const auto got = half_->run(inputs);
    // What the device cannot do at all is no verdict on f16.
    if (!got && !got.error().code.empty()) return std::unexpected(got.error());
    const bool passed = got && engine::alike(wanted, *got);
    log(LogLevel::Info, "half_precision",
        {{"taken", passed}, {"reason", got ? std::string("compared with f32") : got.error().message}});
    if (!passed && insisted_)
      return fail(ErrorKind::Unsupported,
                  "in f16 this model's numbers are others than in f32; use auto or f32");
    precision_ = passed ? Precision::F16 : Precision::F32;
    taken_ = passed ? half_.get() : full_.get();
    (passed ? full_ : half_).reset();
    return taken_.load();
  }

  std::unique_ptr<Session> full_, half_;  // both until one is taken
  const std::vector<graph::Port> inputs_;
  const bool insisted_;
  std::mutex mutex_;  // of the choice
  std::atomic<Session*> taken_ = nullptr;
  std::atomic<Precision> precision_ = Precision::F32;
};

}  // namespace

bool alike(const std::vector<Array>& full, const std::vector<Array>& half, const HalfAllowance& allowance) {
  if (full.size() != half.size()) return false;
  for (std::size_t i = 0; i < full.size(); ++i)
    if (!alike(full[i], half[i], allowance)) return false;
  return true;
}

std::unique_ptr<Session> half_if_alike(std::unique_ptr<Session> full, std::unique_ptr<Session> half,
                                       std::vector<graph::Port> inputs, bool insisted) {
  return std::make_unique<HalfGate>(std::move(full), std::move(half), std::move(inputs), insisted);
}

}  // namespace alcove::engine
