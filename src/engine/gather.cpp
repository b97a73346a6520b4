#include "engine/gather.h"

#include <algorithm>
#include <bit>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <numeric>
#include <optional>

namespace alcove::engine {
namespace {

std::size_t product(std::span<const std::int64_t> sizes) {
  return std::accumulate(
      sizes.begin(), sizes.end(), std::size_t{1},
      [](std::size_t count, std::int64_t size) { return count * static_cast<std::size_t>(size); });
}

// Which dimension of each output is the batch; none when that cannot be told.
std::optional<std::vector<std::size_t>> batch_axes(const std::vector<graph::Port>& inputs,
                                                   const std::vector<graph::Port>& outputs) {
  if (inputs.size() != 1 || inputs[0].type != graph::ElementType::F32 || inputs[0].shape.empty()) return {};
  const auto& name = inputs[0].shape[0].name;
  if (inputs[0].shape[0].size >= 0 || name.empty()) return {};
  std::vector<std::size_t> axes;
  for (const auto& output : outputs) {
    const auto first = std::ranges::find(output.shape, name, &graph::Dimension::name);
    if (std::ranges::count(output.shape, name, &graph::Dimension::name) != 1) return {};
    axes.push_back(static_cast<std::size_t>(first - output.shape.begin()));
  }
  return axes;
}

// Items `first` to `first + count` of the batch's dimension.
Array part_of(const Array& whole, std::size_t axis, std::size_t first, std::size_t count) {
  Array part{.shape = whole.shape, .values = {}};
  part.shape[axis] = static_cast<std::int64_t>(count);
  const auto sizes = std::span(whole.shape);
  const auto outer = product(sizes.first(axis)), inner = product(sizes.subspan(axis + 1));
  const auto items = static_cast<std::size_t>(sizes[axis]);
  part.values.reserve(outer * count * inner);
  for (std::size_t row = 0; row < outer; ++row) {
    const auto from = whole.values.begin() + static_cast<std::ptrdiff_t>((row * items + first) * inner);
    part.values.insert(part.values.end(), from, from + static_cast<std::ptrdiff_t>(count * inner));
  }
  return part;
}

class GatheringSession : public Session {
 public:
  GatheringSession(std::unique_ptr<Session> session, std::vector<std::size_t> axes, std::size_t most)
      : session_(std::move(session)), axes_(std::move(axes)), most_(most) {}

  Result<std::vector<Array>> run(std::span<const Input> inputs) override {
    const auto* values =
        inputs.size() == 1 ? std::get_if<std::span<const float>>(&inputs[0].values) : nullptr;
    // What does not fit the model is the session's to refuse.
    if (values == nullptr || inputs[0].shape.empty() || inputs[0].shape[0] < 1 ||
        static_cast<std::size_t>(inputs[0].shape[0]) > most_ || product(inputs[0].shape) != values->size())
      return session_->run(inputs);
    Job job{.shape = inputs[0].shape, .values = *values};
    std::unique_lock lock(mutex_);
    waiting_.push_back(&job);
    changed_.wait(lock, [&] { return job.done || !busy_; });
    while (!job.done) {
      busy_ = true;
      const auto batch = next_batch();
      lock.unlock();
      run_together(batch);
      lock.lock();
      for (auto* each : batch) each->done = true;
      busy_ = false;
      changed_.notify_all();
      if (!job.done) changed_.wait(lock, [&] { return job.done || !busy_; });
    }
    return std::move(job.answer);
  }
  Result<void> warm_up(std::span<const std::int64_t> shape) override { return session_->warm_up(shape); }

  using Session::run;
  Precision precision() const override { return session_->precision(); }
  bool loaded_from_cache() const override { return session_->loaded_from_cache(); }

 private:
  struct Job {
    std::span<const std::int64_t> shape;
    std::span<const float> values;
    bool done = false;
    Result<std::vector<Array>> answer = std::vector<Array>{};

    std::size_t count() const { return static_cast<std::size_t>(shape[0]); }
    bool goes_with(const Job& other) const {
      return std::ranges::equal(shape.subspan(1), other.shape.subspan(1));
    }
  };

  // Who came first, and those after who fit.
  std::vector<Job*> next_batch() {
    std::vector<Job*> batch;
    std::size_t count = 0;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      auto* job = *at;
      if (count + job->count() > most_ || !job->goes_with(*waiting_.front())) {
        ++at;
        continue;
      }
      count += job->count();
      batch.push_back(job);
      at = batch.size() == 1 ? at + 1 : waiting_.erase(at);
    }
    waiting_.pop_front();
    return batch;
  }

  void run_together(const std::vector<Job*>& batch) {
    std::size_t count = 0;
    for (const auto* job : batch) count += job->count();
    const auto padded = std::min(std::bit_ceil(count), most_);
    auto outputs = padded == count && batch.size() == 1 ? session_->run(batch[0]->shape, batch[0]->values)
                                                        : run_joined(batch, padded);
    std::size_t first = 0;
    for (auto* job : batch) {
      job->answer = batch.size() == 1 && padded == count ? std::move(outputs)
                                                         : share(outputs, first, job->count(), padded);
      first += job->count();
    }
  }

  Result<std::vector<Array>> run_joined(const std::vector<Job*>& batch, std::size_t padded) {
    std::vector<std::int64_t> shape(batch[0]->shape.begin(), batch[0]->shape.end());
    shape[0] = static_cast<std::int64_t>(padded);
    std::vector<float> values;
    values.reserve(product(shape));
    for (const auto* job : batch) values.insert(values.end(), job->values.begin(), job->values.end());
    values.resize(product(shape));
    return session_->run(shape, values);
  }

  Result<std::vector<Array>> share(const Result<std::vector<Array>>& outputs, std::size_t first,
                                   std::size_t count, std::size_t padded) const {
    if (!outputs) return std::unexpected(outputs.error());
    std::vector<Array> parts;
    for (std::size_t i = 0; i < outputs->size(); ++i) {
      const auto& whole = (*outputs)[i];
      if (axes_[i] >= whole.shape.size() || whole.shape[axes_[i]] != static_cast<std::int64_t>(padded))
        return fail(ErrorKind::Internal, "the model's output has not a row for each input");
      parts.push_back(part_of(whole, axes_[i], first, count));
    }
    return parts;
  }

  const std::unique_ptr<Session> session_;
  const std::vector<std::size_t> axes_;
  const std::size_t most_;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::deque<Job*> waiting_;
  bool busy_ = false;
};

}  // namespace

std::unique_ptr<Session> gathering(std::unique_ptr<Session> session, const std::vector<graph::Port>& inputs,
                                   const std::vector<graph::Port>& outputs, std::size_t most) {
  auto axes = batch_axes(inputs, outputs);
  if (!axes) return session;
  return std::make_unique<GatheringSession>(std::move(session), *std::move(axes), most);
}

}  // namespace alcove::engine
