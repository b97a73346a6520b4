#pragma once
// The state behind the paper finder's routes: its index, opened again when another takes its place, its
// model, loading or loaded, and the line of searches in front of them.

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "api/work_queue.h"
#include "papers/finder.h"
#include "papers/indexer.h"
#include "store/collections.h"

namespace alcove::api {

// In the folder of the index: what Chroma's clients wrote.
inline constexpr const char* kCollectionsFile = "collections.db";

// Loads and prepares the model; called once on a thread of its own. Null where none is wanted.
using LoadEmbedder = std::function<Result<std::shared_ptr<papers::Embedder>>()>;

struct FinderSettings {
  papers::IndexerSettings indexer;
  std::filesystem::path snapshots;               // where copies of the index go and come from; empty: nowhere
  std::shared_ptr<papers::VectorMirror> mirror;  // where vectors are compared; null: in this process
  int workers = 2;
  std::size_t queue = 256;
  std::chrono::milliseconds look_again{1000};  // between looks at the index
};

// Safe from any thread.
class FinderSpace {
 public:
  // Loading: words answer, meaning does not yet. Failed: the model cannot be used; words go on.
  enum class Phase { Loading, Ready, Failed };
  struct State {
    Phase phase = Phase::Loading;
    std::string error;                           // of the model, when Failed
    std::shared_ptr<papers::Finder> finder;      // null while there is no index
    std::string no_index;                        // why there is none
    std::shared_ptr<papers::Embedder> embedder;  // null until it is loaded
    double load_seconds = 0;                     // of the model
  };

  FinderSpace(FinderSettings settings, LoadEmbedder load);
  ~FinderSpace();
  // `address` is what the log says at last: where it listens.
  void start(const std::string& address);

  State state() const;
  bool importing() const;  // somebody is writing the next index, be it another process
  papers::Indexer& indexer() { return indexer_; }
  Result<void> start_indexing(std::vector<std::string> venues);  // none: what is due
  const FinderSettings& settings() const { return settings_; }
  const WorkQueue& queue() const { return queue_; }
  void drain() { draining_ = true; }
  // The snapshots folder has what came in until now; nothing is looked after any more.
  void finish();
  bool draining() const { return draining_; }

  // Runs on a worker; must not throw. Overloaded when the line is full, Unavailable while draining.
  Result<void> submit(std::function<void()> work, std::function<bool()> gone);

 private:
  void watch();
  void fill_mirror(const std::stop_token& stop);
  void open_index();
  void load_model();
  void tell(const std::string& address) const;
  void restore();
  void publish();
  void publish_collections(bool now);
  bool sleep();  // false: time to leave

  const FinderSettings settings_;
  const LoadEmbedder load_;
  mutable std::mutex mutex_;
  State state_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::atomic<bool> draining_{false};
  // The watcher's own: the stamps of what was copied out last, and when the collections were.
  std::string published_, published_collections_;
  std::chrono::steady_clock::time_point collections_due_;
  std::shared_ptr<store::Collections> collections_;
  papers::Indexer indexer_;
  std::thread watcher_, loader_;
  std::jthread filler_;  // of the mirror
  WorkQueue queue_;      // last: its threads use the rest
};

}  // namespace alcove::api
