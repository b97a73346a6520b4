#include "api/sheet_space.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/log.h"

namespace alcove::api {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Changes when a file of the folder comes, goes or is written.
std::string look_of(const std::filesystem::path& folder) {
  std::vector<std::string> entries;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const auto written = entry.last_write_time(ignored).time_since_epoch().count();
    const auto size = entry.is_regular_file(ignored) ? entry.file_size(ignored) : 0;
    entries.push_back(fmt::format("{} {} {}", entry.path().filename().string(), size, written));
  }
  std::ranges::sort(entries);
  return fmt::format("{}", fmt::join(entries, "\n"));
}

}  // namespace

SheetSpace::SheetSpace(SpaceSettings settings, LoadReader load)
    : settings_(std::move(settings)), load_(std::move(load)), queue_(settings_.workers, settings_.queue) {}

SheetSpace::~SheetSpace() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  if (loader_.joinable()) loader_.join();
}

void SheetSpace::start() {
  loader_ = std::thread([this] { keep_loaded(); });
}

SheetSpace::State SheetSpace::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void SheetSpace::set(State state) {
  const std::lock_guard lock(mutex_);
  state_ = std::move(state);
}

void SheetSpace::keep_loaded() {
  load_until_loaded();
  if (settings_.idle_unload.count() == 0) return;
  const auto look = std::min<std::chrono::milliseconds>(settings_.idle_unload, std::chrono::seconds(1));
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (stopping_.wait_for(lock, look, [this] { return stop_; })) return;
    }
    if (rest_if_idle()) log(LogLevel::Info, "models_resting");
    if (state().phase == Phase::Failed) load_until_loaded();  // they rested, and could not be woken
  }
}

bool SheetSpace::rest_if_idle() {
  const std::lock_guard waking(waking_);
  if (since_last_sheet_.length() < settings_.idle_unload || queue_.waiting() + queue_.running() > 0)
    return false;
  State resting = state();
  if (resting.phase != Phase::Ready) return false;
  resting.phase = Phase::Resting;
  resting.reader = nullptr;
  set(std::move(resting));
  ::malloc_trim(0);  // freed memory is the process's until it is given back
  return true;
}

// On a worker.
Result<std::shared_ptr<sheets::SheetReader>> SheetSpace::reader_in_hand() {
  const std::lock_guard waking(waking_);
  if (const auto now = state(); now.reader) return now.reader;
  const auto start = Clock::now();
  auto reader = load_();
  const double seconds = seconds_since(start);
  if (!reader) {
    log(LogLevel::Error, "models_failed", {{"error", reader.error().message}});
    set({Phase::Failed, reader.error().message, nullptr, seconds});
    return fail(ErrorKind::Unavailable, reader.error().message, "models_failed");
  }
  log(LogLevel::Info, "models_awake", {{"seconds", seconds}});
  set({Phase::Ready, {}, *reader, seconds});
  return *std::move(reader);
}

void SheetSpace::load_until_loaded() {
  while (true) {
    const auto look = look_of(settings_.models);
    const auto start = Clock::now();
    auto reader = load_();
    const double seconds = seconds_since(start);
    if (reader) {
      set({Phase::Ready, {}, *std::move(reader), seconds});
      log(LogLevel::Info, "models_ready", {{"seconds", seconds}});
      return;
    }
    log(LogLevel::Error, "models_failed", {{"error", reader.error().message}});
    set({Phase::Failed, reader.error().message, nullptr, seconds});
    // Weights often come after the program: a download, or a folder that is mounted late.
    std::unique_lock lock(mutex_);
    do {
      if (stopping_.wait_for(lock, settings_.look_again, [this] { return stop_; })) return;
    } while (look_of(settings_.models) == look);
    state_.phase = Phase::Loading;
  }
}

Result<void> SheetSpace::admit() {
  if (draining_)
    return fail(ErrorKind::Unavailable, "the server is shutting down; send the sheet again in a moment",
                "shutting_down");
  const auto now = state();
  if (now.phase == Phase::Loading)
    return fail(ErrorKind::Unavailable, "the reader is starting: its models are being loaded", "loading");
  if (now.phase == Phase::Failed) return fail(ErrorKind::Unavailable, now.error, "models_failed");
  if (queue_.full())
    return fail(ErrorKind::Overloaded,
                fmt::format("{} sheets wait already; try again in a moment", queue_.waiting()), "overloaded");
  return {};
}

int SheetSpace::retry_after() const {
  if (!state().usable()) return 2;
  const double ahead = static_cast<double>(queue_.waiting() + queue_.running());
  const double seconds = seconds_per_sheet_ * ahead / std::max(1, queue_.workers());
  return static_cast<int>(std::ceil(std::clamp(seconds, 1.0, 60.0)));
}

std::function<void()> SheetSpace::timed(Work work, Refuse refuse) {
  return [this, arrived = Clock::now(), work = std::move(work), refuse = std::move(refuse)] {
    const auto reader = reader_in_hand();
    if (!reader) return refuse(reader.error());
    const auto start = Clock::now();
    work(**reader, std::chrono::duration<double>(start - arrived).count());
    since_last_sheet_.note_use();
    const double took = seconds_since(start);
    // Work that was dropped at once says nothing of how long a sheet takes.
    if (took > 0.001) seconds_per_sheet_ = 0.8 * seconds_per_sheet_ + 0.2 * took;
  };
}

void SheetSpace::submit(Work work, Refuse refuse, std::function<bool()> gone) {
  if (const auto admitted = admit(); !admitted && admitted.error().kind != ErrorKind::Overloaded)
    return refuse(admitted.error());
  if (queue_.offer({timed(std::move(work), refuse), std::move(gone)})) return;
  refuse({ErrorKind::Overloaded, "too many sheets wait already; try again in a moment", "overloaded"});
}

// Only from work that runs, which holds the models here.
void SheetSpace::submit_again(Work work) {
  queue_.come_again({timed(std::move(work), [](const Error&) {}), {}});
}

}  // namespace alcove::api
