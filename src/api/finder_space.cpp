#include "api/finder_space.h"

#include <chrono>

#include "base/log.h"
#include "store/paper_folder.h"

namespace alcove::api {

FinderSpace::FinderSpace(FinderSettings settings, LoadEmbedder load)
    : settings_(std::move(settings)), load_(std::move(load)), queue_(settings_.workers, settings_.queue) {}

FinderSpace::~FinderSpace() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  if (watcher_.joinable()) watcher_.join();
  if (loader_.joinable()) loader_.join();
}

void FinderSpace::start() {
  open_index();
  watcher_ = std::thread([this] { watch(); });
  loader_ = std::thread([this] { load_model(); });
}

FinderSpace::State FinderSpace::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

bool FinderSpace::importing() const { return store::PaperFolder(settings_.data).has_next(); }

Result<void> FinderSpace::submit(std::function<void()> work, std::function<bool()> gone) {
  if (draining_) return fail(ErrorKind::Unavailable, "the server is shutting down; try again", "draining");
  if (queue_.offer({.run = std::move(work), .abandoned = std::move(gone)})) return {};
  return fail(ErrorKind::Overloaded, "many searches wait already; try again in a moment");
}

void FinderSpace::watch() {
  while (sleep()) {
    const auto now = state();
    if (!now.finder || now.finder->is_stale()) open_index();
  }
}

bool FinderSpace::sleep() {
  std::unique_lock lock(mutex_);
  return !stopping_.wait_for(lock, settings_.look_again, [this] { return stop_; });
}

// The index that serves goes on serving until the new one is loaded; one that cannot be loaded changes
// nothing.
void FinderSpace::open_index() {
  const auto embedder = state().embedder;
  auto finder = papers::Finder::load(settings_.data, embedder);
  const std::lock_guard lock(mutex_);
  if (finder) {
    state_.finder = *std::move(finder);
    state_.no_index.clear();
    log(LogLevel::Info, "index_loaded",
        {{"papers", static_cast<long long>(state_.finder->size())},
         {"vectors", static_cast<long long>(state_.finder->vectors())}});
  } else if (state_.no_index != finder.error().message) {
    state_.no_index = finder.error().message;
    log(LogLevel::Warning, "no_index", {{"reason", state_.no_index}});
  }
}

void FinderSpace::load_model() {
  const auto start = std::chrono::steady_clock::now();
  auto loaded = load_();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  {
    const std::lock_guard lock(mutex_);
    state_.load_seconds = took.count();
    if (loaded) {
      state_.embedder = *loaded;
    } else {
      state_.phase = Phase::Failed;
      state_.error = loaded.error().message;
    }
  }
  if (!loaded) return log(LogLevel::Error, "model_failed", {{"reason", loaded.error().message}});
  log(LogLevel::Info, "model_loaded",
      {{"what", *loaded ? (*loaded)->description() : "none"}, {"seconds", took.count()}});
  open_index();
  const std::lock_guard lock(mutex_);
  state_.phase = Phase::Ready;
}

}  // namespace alcove::api
