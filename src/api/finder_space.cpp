#include "api/finder_space.h"

#include <fmt/format.h>

#include <chrono>

#include "base/log.h"
#include "store/paper_folder.h"
#include "store/paper_snapshots.h"

namespace alcove::api {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPapers = "papers";
constexpr const char* kCollections = "collections";
constexpr std::chrono::seconds kBetweenCopies{5};

}  // namespace

FinderSpace::FinderSpace(FinderSettings settings, LoadEmbedder load)
    : settings_(std::move(settings)),
      load_(std::move(load)),
      indexer_(settings_.indexer),
      queue_(settings_.workers, settings_.queue) {}

FinderSpace::~FinderSpace() {
  finish();
  filler_.request_stop();
  if (loader_.joinable()) loader_.join();
  if (filler_.joinable()) filler_.join();
}

void FinderSpace::finish() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

void FinderSpace::start(const std::string& address) {
  restore();
  open_index();
  watcher_ = std::thread([this] { watch(); });
  if (settings_.mirror) filler_ = std::jthread([this](const std::stop_token& stop) { fill_mirror(stop); });
  loader_ = std::thread([this, address] {
    load_model();
    tell(address);
    static_cast<void>(indexer_.start_due(state().embedder));  // refused only when somebody was quicker
  });
}

// The end of what the log tells of a start; its beginning, folders and model, is told where they are made.
void FinderSpace::tell(const std::string& address) const {
  const auto now = state();
  const auto papers = now.finder ? now.finder->size() : 0;
  log(LogLevel::Info, "startup", {{"message", "Collection 'openreview_papers' ready."}});
  log(LogLevel::Info, "startup",
      {{"message", papers > 0 ? fmt::format("Existing index found with {} entries.", papers)
                              : std::string("Index is empty. Indexing in the background.")}});
  log(LogLevel::Info, "startup", {{"message", fmt::format("Up and running, listening on {}", address)}});
}

Result<void> FinderSpace::start_indexing(std::vector<std::string> venues) {
  const auto now = state();
  if (now.phase == Phase::Loading)
    return fail(ErrorKind::Unavailable, "the model is being loaded; indexing starts by itself afterwards",
                "no_model");
  return venues.empty() ? indexer_.start_due(now.embedder) : indexer_.start(std::move(venues), now.embedder);
}

void FinderSpace::restore() {
  const auto& data = settings_.indexer.data;
  if (settings_.snapshots.empty()) return;
  std::error_code failure;
  fs::create_directories(data, failure);
  for (const auto& [kind, file] : {std::pair(kPapers, store::PaperFolder(data).current()),
                                   std::pair(kCollections, data / kCollectionsFile)}) {
    if (!store::file_stamp(file).empty()) continue;
    // The log of a file that is gone belongs to no other.
    fs::remove(file.string() + "-wal", failure);
    const auto restored = store::PaperSnapshots(settings_.snapshots, kind).restore(file);
    if (restored)
      log(LogLevel::Info, "restored", {{"from", *restored}});
    else
      log(LogLevel::Info, "no_snapshot", {{"reason", restored.error().message}});
  }
}

// Once for each index that serves; one that could not be copied is tried again.
void FinderSpace::publish() {
  const store::PaperFolder folder(settings_.indexer.data);
  const auto stamp = store::file_stamp(folder.current());
  if (settings_.snapshots.empty() || stamp.empty() || stamp == published_) return;
  const auto done = store::PaperSnapshots(settings_.snapshots).publish(folder.current());
  if (!done) return log(LogLevel::Warning, "snapshot_failed", {{"reason", done.error().message}});
  published_ = stamp;
  log(LogLevel::Info, "snapshot", {{"folder", settings_.snapshots.string()}});
}

// Unlike an index they change all the time, so a copy is made of what there is at most every few seconds.
void FinderSpace::publish_collections(bool now) {
  const auto file = settings_.indexer.data / kCollectionsFile;
  const auto stamp = store::file_stamp(file) + store::file_stamp(file.string() + "-wal");
  if (settings_.snapshots.empty() || stamp.empty() || stamp == published_collections_) return;
  const auto start = std::chrono::steady_clock::now();
  if (!now && start < collections_due_) return;
  const auto copy = settings_.indexer.data / "collections.copy.db";
  const auto publish_copy = [&]() -> Result<void> {
    if (!collections_) collections_ = TRY(store::Collections::open(file));
    TRY(collections_->copy_to(copy));
    return store::PaperSnapshots(settings_.snapshots, kCollections).publish(copy);
  };
  const auto done = publish_copy();
  std::error_code ignored;
  fs::remove(copy, ignored);
  // The larger they are, the more rarely: at most a tenth of the time goes into copies.
  const auto end = std::chrono::steady_clock::now();
  collections_due_ = end + std::max<std::chrono::steady_clock::duration>(kBetweenCopies, 10 * (end - start));
  if (!done) return log(LogLevel::Warning, "snapshot_failed", {{"reason", done.error().message}});
  published_collections_ = stamp;
  log(LogLevel::Info, "collections_snapshot", {{"folder", settings_.snapshots.string()}});
}

FinderSpace::State FinderSpace::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

bool FinderSpace::importing() const { return store::PaperFolder(settings_.indexer.data).has_next(); }

Result<void> FinderSpace::submit(std::function<void()> work, std::function<bool()> gone) {
  if (draining_) return fail(ErrorKind::Unavailable, "the server is shutting down; try again", "draining");
  if (queue_.offer({.run = std::move(work), .abandoned = std::move(gone)})) return {};
  return fail(ErrorKind::Overloaded, "many searches wait already; try again in a moment");
}

void FinderSpace::watch() {
  while (sleep()) {
    const auto now = state();
    if (!now.finder || now.finder->is_stale()) open_index();
    publish();
    publish_collections(false);
  }
  publish_collections(true);
}

// A thread of its own: sending vectors takes longer than the next index may wait.
void FinderSpace::fill_mirror(const std::stop_token& stop) {
  std::string filled;  // stamp of the index that was sent last
  do {
    const auto file = store::PaperFolder(settings_.indexer.data).current();
    const auto stamp = store::file_stamp(file);
    if (stamp.empty() || (stamp == filled && !settings_.mirror->is_away())) continue;
    if (settings_.mirror->fill(file, stop)) filled = stamp;
  } while (sleep());
}

bool FinderSpace::sleep() {
  std::unique_lock lock(mutex_);
  return !stopping_.wait_for(lock, settings_.look_again, [this] { return stop_; });
}

// The index that serves goes on serving until the new one is loaded; one that cannot be loaded changes
// nothing.
void FinderSpace::open_index() {
  const auto embedder = state().embedder;
  auto finder = papers::Finder::load(settings_.indexer.data, embedder, settings_.mirror);
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
