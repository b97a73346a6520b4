#pragma once
// Fills an index on a thread of its own while somebody else answers from it: what the original finder left
// there, venues from OpenReview, and vectors for all of it. Words are found after the first page, and every
// few hundred vectors another index takes the place of the one that serves.

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "papers/embedder.h"
#include "papers/importer.h"
#include "papers/openreview.h"

namespace alcove::papers {

struct IndexerSettings {
  std::filesystem::path data;          // folder of the index
  OpenReviewSettings source;           // its cache is `data`, its stop the indexer's own
  std::vector<std::string> venues;     // that belong into the index
  std::string first_venue;             // for an empty index when no venues are named; empty: it stays empty
  std::chrono::hours fresh{24 * 7};    // a venue is fetched again after so long; 0: never
  std::size_t vectors_at_once = 1024;  // between two indexes
};

// Safe from any thread.
class Indexer {
 public:
  enum class Phase { Idle, Looking, Fetching, Embedding };  // Looking: for what is due
  struct State {
    Phase phase = Phase::Idle;
    std::string venue;      // being fetched
    std::size_t done = 0;   // papers fetched, or embedded
    std::size_t total = 0;  // of how many; 0 while that is not known
    double per_second = 0;  // over this phase
    std::optional<double> seconds_left;
    std::string error;  // why the last run ended early; empty when it did not
  };

  explicit Indexer(IndexerSettings settings) : settings_(std::move(settings)) {}

  // What is due: the venues that are missing or old, and the vectors that are missing. Without a model papers
  // are found by their words. BadInput ("indexing") while a run goes on.
  Result<void> start_due(std::shared_ptr<Embedder> embedder);
  // These venues, however fresh. BadInput for a text that is no venue's id too.
  Result<void> start(std::vector<std::string> venues, std::shared_ptr<Embedder> embedder);
  void stop();  // soon, and without waiting for it; what was done is kept
  State state() const;

 private:
  using Venues = std::vector<std::string>;
  Result<void> begin(std::function<Result<Venues>()> venues, std::shared_ptr<Embedder> embedder);
  Result<void> run(const Venues& venues, Embedder* embedder, const std::stop_token& stop);
  Result<Venues> due() const;
  Result<void> take_over(Embedder* embedder, const std::stop_token& stop);
  Result<void> fetch(const std::string& venue, const std::stop_token& stop);
  Result<void> embed(Embedder& embedder, const std::stop_token& stop);
  void enter(Phase phase, const std::string& venue = {});
  bool advance(std::size_t done, std::size_t total, const std::stop_token& stop);

  const IndexerSettings settings_;
  std::mutex running_;  // of start and stop
  mutable std::mutex mutex_;
  State state_;
  std::chrono::steady_clock::time_point entered_;
  std::jthread thread_;
};

}  // namespace alcove::papers
