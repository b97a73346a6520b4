#include "papers/resting_embedder.h"

#include <malloc.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"

namespace alcove::papers {
namespace {

using Clock = std::chrono::steady_clock;

class RestingEmbedder : public Embedder {
 public:
  RestingEmbedder(std::shared_ptr<Embedder> embedder, LoadAgain load, std::chrono::milliseconds idle)
      : load_(std::move(load)),
        idle_(idle),
        width_(embedder->width()),
        max_tokens_(embedder->max_tokens()),
        normalised_(embedder->normalised()),
        model_hash_(embedder->model_hash()),
        description_(embedder->description()),
        embedder_(std::move(embedder)),
        watcher_([this](const std::stop_token& stop) { watch(stop); }) {}

  Result<Vectors> embed(std::span<const EmbedText> texts, Purpose purpose,
                        const Progress& progress) override {
    const auto embedder = TRY(awake());
    auto vectors = embedder->embed(texts, purpose, progress);
    note_use();
    return vectors;
  }
  Result<void> prepare(Purpose purpose) override {
    const auto embedder = TRY(awake());
    return embedder->prepare(purpose);
  }
  std::vector<text::TokenId> tokens_of(const EmbedText& text) const override {
    const auto embedder = awake();
    return embedder ? (*embedder)->tokens_of(text) : std::vector<text::TokenId>();
  }
  std::size_t width() const override { return width_; }
  int max_tokens() const override { return max_tokens_; }
  bool normalised() const override { return normalised_; }
  const std::string& model_hash() const override { return model_hash_; }
  std::string description() const override { return description_; }

 private:
  // The others wait for the one that loads.
  Result<std::shared_ptr<Embedder>> awake() const {
    const std::lock_guard lock(mutex_);
    used_ = Clock::now();
    if (embedder_) return embedder_;
    auto embedder = TRY(load_());
    if (embedder->model_hash() != model_hash_)
      return fail(ErrorKind::Unavailable, "the model was exchanged while it rested; start the server again");
    embedder_ = std::move(embedder);
    log(LogLevel::Info, "model_awake",
        {{"seconds", std::chrono::duration<double>(Clock::now() - used_).count()}});
    return embedder_;
  }

  void note_use() {
    const std::lock_guard lock(mutex_);
    used_ = Clock::now();
  }

  void watch(const std::stop_token& stop) {
    const auto look = std::min<std::chrono::milliseconds>(idle_, std::chrono::seconds(1));
    std::unique_lock lock(mutex_);
    while (!looked_.wait_for(lock, stop, look, [] { return false; }) && !stop.stop_requested()) {
      // Somebody at work holds it as well.
      if (!embedder_ || embedder_.use_count() > 1 || Clock::now() - used_ < idle_) continue;
      embedder_.reset();
      ::malloc_trim(0);  // freed memory is the process's until it is given back
      log(LogLevel::Info, "model_resting");
    }
  }

  const LoadAgain load_;
  const std::chrono::milliseconds idle_;
  const std::size_t width_;
  const int max_tokens_;
  const bool normalised_;
  const std::string model_hash_, description_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<Embedder> embedder_;  // null while it rests
  mutable Clock::time_point used_ = Clock::now();
  std::condition_variable_any looked_;
  std::jthread watcher_;  // last: it uses the rest
};

}  // namespace

std::shared_ptr<Embedder> rest_when_idle(std::shared_ptr<Embedder> embedder, LoadAgain load,
                                         std::chrono::milliseconds idle) {
  return std::make_shared<RestingEmbedder>(std::move(embedder), std::move(load), idle);
}

}  // namespace alcove::papers
