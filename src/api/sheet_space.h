#pragma once
// The state behind the answer-sheet routes: the models, loading or loaded, and the line of sheets in front of
// them.

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "api/idleness.h"
#include "api/work_queue.h"
#include "base/result.h"
#include "sheets/reader.h"

namespace alcove::api {

// Loads the models; called on a thread of its own, again after a failure when a file of the folder has
// changed.
using LoadReader = std::function<Result<std::shared_ptr<sheets::SheetReader>>()>;

struct SpaceSettings {
  std::filesystem::path models;
  int workers = 2;
  std::size_t queue = 32;
  std::chrono::milliseconds idle_unload{0};    // without a sheet, until the models are put away; 0: never
  std::chrono::milliseconds look_again{2000};  // between looks at the folder while its models cannot be used
};

// Safe from any thread.
class SheetSpace {
 public:
  // Resting: nobody came for a while and the models were put away; the next sheet fetches them.
  enum class Phase { Loading, Ready, Resting, Failed };
  struct State {
    Phase phase = Phase::Loading;
    std::string error;                            // when Failed
    std::shared_ptr<sheets::SheetReader> reader;  // when Ready
    double load_seconds = 0;                      // of the last load that ended
    bool usable() const { return phase == Phase::Ready || phase == Phase::Resting; }
  };

  SheetSpace(SpaceSettings settings, LoadReader load);
  ~SheetSpace();  // waits for a load and for sheets in hand; drops those that wait
  void start();   // begins to load

  State state() const;
  const SpaceSettings& settings() const { return settings_; }
  const WorkQueue& queue() const { return queue_; }

  // From now on no sheet is taken, and admit() says why.
  void drain() { draining_ = true; }
  bool draining() const { return draining_; }

  // Whether a sheet would be taken now: Unavailable while models load, failed or drain, Overloaded when the
  // line is full.
  Result<void> admit();
  // When a client that was turned away may come back, seconds: from the line's length and what sheets took
  // lately.
  int retry_after() const;

  // Runs on a worker, with the reader and the seconds it waited; must not throw. `refuse` is called in its
  // place: at once with what admit() says, or on the worker when models that rested cannot be loaded any
  // more. Work whose caller has `gone` makes room for others: it then runs early and elsewhere, only to see
  // that.
  using Work = std::function<void(sheets::SheetReader&, double queued_seconds)>;
  using Refuse = std::function<void(const Error&)>;
  void submit(Work work, Refuse refuse, std::function<bool()> gone = {});
  // The same from work that runs: behind all that waits, and never refused.
  void submit_again(Work work);

 private:
  void keep_loaded();
  void load_until_loaded();
  void set(State state);
  bool rest_if_idle();
  Result<std::shared_ptr<sheets::SheetReader>> reader_in_hand();
  std::function<void()> timed(Work work, Refuse refuse);

  const SpaceSettings settings_;
  const LoadReader load_;
  mutable std::mutex mutex_;
  State state_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::atomic<bool> draining_{false};
  std::atomic<double> seconds_per_sheet_{0.5};
  Idleness since_last_sheet_;
  std::mutex waking_;  // one worker loads what rested, the others wait for it
  std::thread loader_;
  WorkQueue queue_;  // last: its threads use the rest
};

}  // namespace alcove::api
