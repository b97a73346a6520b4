#include "gateway/gateway.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "gateway/clock.h"

namespace alcove::gateway {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{100};         // of the housekeeping: at whoever waits
constexpr milliseconds kLookShared{500};   // for sheets and records of other processes
constexpr milliseconds kLookAlone{2'000};  // for sheets whose delay is over
constexpr milliseconds kFirstDelay{500};   // of a sheet that nobody could read; doubles
constexpr int kMostDoublings = 6;
constexpr milliseconds kAgain{1'000};  // a record that the database would not take

milliseconds delay_after(int attempts) { return kFirstDelay * (1 << std::min(attempts, kMostDoublings)); }

}  // namespace

Gateway::Gateway(GatewaySettings settings, Ledger& ledger, Readers& readers, Figures& figures)
    : settings_(std::move(settings)),
      ledger_(ledger),
      readers_(readers),
      figures_(figures),
      owner_(new_uuid()) {}

Gateway::~Gateway() { stop(); }

void Gateway::stop() {
  if (threads_.empty()) return;
  for (auto& thread : threads_) thread.request_stop();
  changed_.notify_all();
  threads_.clear();
  // What was not finished is free at once, not after its lease; when the database is away, the lease ends it.
  (void)ledger_.release(owner_);
}

void Gateway::start() {
  for (int i = 0; i < settings_.workers; ++i)
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  threads_.emplace_back([this](const std::stop_token& stop) { keep_house(stop); });
}

void Gateway::drain() {
  {
    const std::lock_guard lock(mutex_);
    draining_ = true;
  }
  changed_.notify_all();
}

bool Gateway::draining() {
  const std::lock_guard lock(mutex_);
  return draining_;
}

int Gateway::under_way() {
  const std::lock_guard lock(mutex_);
  return under_way_;
}

void Gateway::end_waits() { end_waits_before(Clock::time_point::max()); }

Result<Receipt> Gateway::accept(const Upload& upload) {
  auto receipt = ledger_.accept(upload);
  if (receipt) {
    figures_.uploaded(receipt->known);
    nudge();
  }
  return receipt;
}

void Gateway::nudge() {
  {
    const std::lock_guard lock(mutex_);
    ++news_;
  }
  changed_.notify_all();
}

void Gateway::work(const std::stop_token& stop) {
  const auto look = ledger_.shared() ? kLookShared : kLookAlone;
  while (!stop.stop_requested()) {
    std::uint64_t seen = 0;
    {
      std::unique_lock lock(mutex_);
      if (draining_) return;
      seen = news_;
      // Before the claim, so that drain() never misses one that is being made.
      ++under_way_;
    }
    auto claim = readers_.ready() ? ledger_.claim(owner_) : std::optional<Claim>();
    if (claim && *claim) process(**claim, stop);
    std::unique_lock lock(mutex_);
    --under_way_;
    changed_.notify_all();
    if (claim && *claim) continue;
    if (!claim) log(LogLevel::Error, "claim_failed", {{"error", claim.error().message}});
    changed_.wait_for(lock, stop, look, [&] { return draining_ || news_ != seen; });
  }
}

void Gateway::process(const Claim& claim, const std::stop_token& stop) {
  auto outcome = outcome_of(claim, stop);
  if (outcome && *outcome) record(claim, **outcome, stop);
  if (outcome) return;
  const auto& error = outcome.error();
  log(LogLevel::Warning, "sheet_postponed",
      {{"uuid", claim.uuid}, {"reason", error.code}, {"error", error.message}});
  if (const auto done = ledger_.postpone(claim, owner_, delay_after(claim.attempts).count()); !done)
    log(LogLevel::Error, "postpone_failed", {{"uuid", claim.uuid}, {"error", done.error().message}});
}

Result<std::optional<Outcome>> Gateway::outcome_of(const Claim& claim, const std::stop_token& stop) {
  if (claim.crashes >= ledger_.settings().crashes_allowed)
    return Outcome{.error = Error{ErrorKind::Internal,
                                  fmt::format("reading it ended the program {} times; it is not tried again",
                                              claim.crashes),
                                  "set_aside"}};
  if (claim.refusal) return Outcome{.error = claim.refusal};
  const auto content = ledger_.content(claim.sha256);
  if (!content) {
    // A file that is gone does not come back; a database may.
    if (content.error().kind == ErrorKind::Unavailable || content.error().kind == ErrorKind::Overloaded)
      return std::unexpected(content.error());
    return Outcome{
        .error = Error{ErrorKind::Unreadable, "its file is lost: " + content.error().message, "lost_file"}};
  }
  if (claim.is_stack && settings_.cut) {
    const StackTools tools{ledger_,
                           readers_,
                           settings_.cut,
                           owner_,
                           [&] { return !stop.stop_requested() && !draining(); },
                           [&](const Claim& sheet, const Outcome& cover) { record(sheet, cover, stop); }};
    if (TRY(take_apart(claim, as_bytes(*content), tools, stop))) return std::nullopt;
  }
  return readers_.read({.uuid = claim.uuid,
                        .file_name = claim.file_name,
                        .exam_type = claim.exam_type,
                        .password = claim.password,
                        .content = as_bytes(*content)},
                       milliseconds(claim.age_ms), stop);
}

// Until it is written: the sheet is read, and the lease is ours as long as we live.
void Gateway::record(const Claim& claim, const Outcome& outcome, const std::stop_token& stop) {
  while (true) {
    const auto record = ledger_.record(claim, owner_, outcome);
    if (record) {
      figures_.recorded(record->workflow_status);
      tell(*record);
      if (settings_.recorded) settings_.recorded(*record);
      return;
    }
    log(LogLevel::Error, "record_failed", {{"uuid", claim.uuid}, {"error", record.error().message}});
    if (record.error().code == "lease_lost") return;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, kAgain, [] { return false; });
    if (stop.stop_requested()) return;
  }
}

void Gateway::when_recorded(const std::string& uuid, milliseconds limit, Done done) {
  const std::lock_guard lock(mutex_);
  waiters_.emplace(uuid, Waiter{Clock::now() + limit, std::move(done)});
  ++news_;  // it may be recorded already: the housekeeping looks
  changed_.notify_all();
}

void Gateway::tell(const Record& record) {
  std::vector<Done> told;
  {
    const std::lock_guard lock(mutex_);
    const auto [first, last] = waiters_.equal_range(record.uuid);
    for (auto waiter = first; waiter != last; ++waiter) told.push_back(std::move(waiter->second.done));
    waiters_.erase(first, last);
  }
  for (const auto& done : told) done(record);
}

void Gateway::look_for_records() {
  std::vector<std::string> waited_for;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [uuid, waiter] : waiters_)
      if (waited_for.empty() || waited_for.back() != uuid) waited_for.push_back(uuid);
  }
  for (const auto& uuid : waited_for)
    if (const auto record = ledger_.find(uuid); record && *record) tell(**record);
}

void Gateway::end_waits_before(Clock::time_point time) {
  std::vector<Done> ended;
  {
    const std::lock_guard lock(mutex_);
    for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
      if (time < waiter->second.until) {
        ++waiter;
        continue;
      }
      ended.push_back(std::move(waiter->second.done));
      waiter = waiters_.erase(waiter);
    }
  }
  for (const auto& done : ended) done(std::nullopt);
}

void Gateway::keep_house(const std::stop_token& stop) {
  const milliseconds beat(ledger_.settings().lease_ms / 4);
  auto next_beat = Clock::now() + beat;
  auto next_look = Clock::now();
  std::uint64_t seen = 0;
  while (!stop.stop_requested()) {
    bool news = false;
    {
      std::unique_lock lock(mutex_);
      news = changed_.wait_for(lock, stop, kLook, [&] { return news_ != seen; });
      seen = news_;
    }
    const auto now = Clock::now();
    if (news || (ledger_.shared() && now >= next_look)) {
      look_for_records();
      next_look = now + kLookShared;
    }
    end_waits_before(now);
    if (now < next_beat) continue;
    if (const auto kept = ledger_.keep_alive(owner_); !kept)
      log(LogLevel::Error, "heartbeat_failed", {{"error", kept.error().message}});
    next_beat = now + beat;
  }
}

}  // namespace alcove::gateway
