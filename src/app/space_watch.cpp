#include "app/space_watch.h"

#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <thread>

#include "net/retry.h"

namespace alcove::app {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr seconds kPoll{1};
constexpr seconds kHubNotices{5};  // from a commit to the stage that shows it

// Prints a log beside the polling; ends with this object.
class LogPrinter {
 public:
  LogPrinter(const hub::Space& space, hub::LogKind kind)
      : thread_([&space, kind](const std::stop_token& stop) {
          const char* mark = kind == hub::LogKind::Build ? "build" : "run";
          // A log that cannot be read is no reason to stop watching: the stages tell the outcome.
          (void)hub::read_log(space, kind, {.follow = true, .stop = stop},
                              [&](const hub::LogLine& line) -> Result<void> {
                                fmt::print(stderr, "  {} | {}\n", mark, line.text);
                                return {};
                              });
        }) {}

 private:
  std::jthread thread_;
};

}  // namespace

Error why_not_running(const hub::Space& space, const hub::Runtime& runtime) {
  const auto& id = space.repo().id;
  const auto with = [&](const char* what, const std::string& detail, const char* remedy) {
    return Error{ErrorKind::Unsupported,
                 fmt::format("{} {}{}{}; {}", id, what, detail.empty() ? "" : ": ", detail, remedy),
                 runtime.stage};
  };
  if (runtime.stage == "BUILD_ERROR") {
    const auto log = hub::log_tail(space, hub::LogKind::Build, 500);
    const auto step = log ? hub::failed_step(*log) : std::string();
    return with("was not built", step.empty() ? runtime.error : step, "mend that step and push again");
  }
  if (runtime.stage == "RUNTIME_ERROR") {
    const auto log = hub::log_tail(space, hub::LogKind::Run, 1);
    const auto last = log && !log->empty() ? log->back().text : std::string();
    return with("ended",
                last.empty() ? runtime.error : fmt::format("{} (last words: {})", runtime.error, last),
                "`alcove space doctor` looks closer");
  }
  if (runtime.stage == "NO_APP_FILE")
    return with("has nothing to build", runtime.error,
                "a Dockerfile has to lie at its root: `alcove space push`");
  if (runtime.stage == "CONFIG_ERROR")
    return with("has a README.md the Hub cannot use", runtime.error,
                "its first lines must say `sdk: docker`");
  if (runtime.stage == "PAUSED") return with("is paused", "", "`alcove space restart` starts it");
  return with("does not run", runtime.stage, "`alcove space doctor` looks closer");
}

Result<hub::Runtime> watch(const hub::Space& space, const Watch& how) {
  const auto begun = Clock::now();
  std::string shown;
  std::optional<LogPrinter> build, run;
  for (bool moved = !how.just_pushed;;) {
    auto runtime = TRY(space.runtime());
    const auto& stage = runtime.stage;
    if (stage != shown) {
      const auto elapsed = std::chrono::duration<double>(Clock::now() - begun).count();
      fmt::print(stderr, "{:6.1f} s  {}\n", elapsed, stage);
      shown = stage;
    }
    const bool going = hub::is_in_progress(stage);
    moved = moved || going || !hub::is_serving(stage) || Clock::now() - begun > kHubNotices;
    if (how.logs && stage.ends_with("BUILDING") && !build) build.emplace(space, hub::LogKind::Build);
    if (how.logs && stage.ends_with("APP_STARTING") && !run) run.emplace(space, hub::LogKind::Run);
    if (!going && moved && !hub::wakes_on_visit(stage)) {
      if (stage == "RUNNING") return runtime;
      return std::unexpected(why_not_running(space, runtime));
    }
    if (hub::wakes_on_visit(stage))
      return fail(
          ErrorKind::Unsupported,
          fmt::format("{} is asleep; `alcove space wake {}` starts it", space.repo().id, space.repo().id),
          stage);
    if (Clock::now() - begun > how.patience)
      return fail(ErrorKind::Unavailable,
                  fmt::format("{} is still {} after {} minutes; `alcove space watch` goes on looking",
                              space.repo().id, stage, how.patience.count() / 60));
    (void)net::wait_for(kPoll, {});
  }
}

}  // namespace alcove::app
