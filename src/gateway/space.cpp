#include "gateway/space.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/log.h"
#include "base/version.h"
#include "net/retry.h"

namespace alcove::gateway {
namespace {

using std::chrono::milliseconds;

constexpr int kFailuresToOpen = 3;
constexpr milliseconds kFresh{20'000};       // what was heard that lately needs no look
constexpr milliseconds kWanted{90'000};      // how long after a call for it looks stay frequent
constexpr milliseconds kOftenWaking{2'000};  // the longest pause between looks while somebody waits
constexpr milliseconds kOftenDead{5'000};
constexpr milliseconds kSeldom{60'000};
constexpr std::size_t kLongestReply = 8u << 20;

bool may_be_too_long(const Verdict& verdict) {
  return verdict.reason == "timeout" || verdict.reason == "http_504";
}

// The number before the first dot, which grows when an answer means something else.
std::string_view generation(std::string_view version) { return version.substr(0, version.find('.')); }

std::optional<Verdict> judge_version(const Json& status) {
  const auto version = status.value("version", Json());
  if (!version.is_string() || generation(version.get_ref<const std::string&>()) == generation(kVersion))
    return {};
  return Verdict{
      SpaceState::Misconfigured,
      fmt::format("the Space runs alcove {}, this gateway is alcove {}: they do not understand each "
                  "other; bring both to one version",
                  version.get<std::string>().substr(0, 40), kVersion),
      "wrong_version"};
}

// Paths that an older service does not have: nothing follows from their absence.
bool is_absent(const Result<net::Reply>& reply) {
  return reply && (reply->status == 404 || reply->status == 405 || reply->status == 501);
}

}  // namespace

Space::Space(SpaceSettings settings) : settings_(std::move(settings)), pause_(settings_.first_look) {
  prober_ = std::jthread([this](const std::stop_token& stop) { probe_on(stop); });
}

Space::~Space() = default;

Space::View Space::view() const {
  const std::lock_guard lock(mutex_);
  return {verdict_.state,         verdict_.why, verdict_.reason,     settings_.address.url,
          settings_.address.logs, cold_starts_, cold_start_seconds_, Clock::now() < open_until_};
}

void Space::wake() {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  wanted_until_ = now + kWanted;
  if (verdict_.state == SpaceState::Awake && now - heard_ < kFresh) return;
  if (verdict_.state != SpaceState::Awake) pause_ = std::min(pause_, kOftenWaking);
  look_now_ = look_now_ || verdict_.state == SpaceState::Awake || now - heard_ > pause_;
  changed_.notify_all();
}

bool Space::may_read() const {
  const std::lock_guard lock(mutex_);
  return verdict_.state == SpaceState::Awake && Clock::now() >= open_until_;
}

void Space::wait_while_waking(milliseconds limit, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, limit, [this] {
    return verdict_.state != SpaceState::Unknown && verdict_.state != SpaceState::Waking;
  });
}

net::Request Space::request(std::string method, const std::string& path, const std::stop_token& stop) const {
  net::Request request{.method = std::move(method), .url = settings_.address.url + path};
  request.headers.push_back({"Accept", "application/json"});
  if (!settings_.token.empty()) request.headers.push_back({"Authorization", "Bearer " + settings_.token});
  if (!settings_.hub_token.empty())
    request.headers.push_back({"X-HF-Authorization", "Bearer " + settings_.hub_token});
  request.limits = {.connect = milliseconds(5'000), .total = settings_.probe, .body = kLongestReply};
  request.redirects = net::Redirects::Never;
  request.stop = stop;
  return request;
}

// Whether it is there, and whether it has its models: /health alone never waits for those.
Verdict Space::look(const std::stop_token& stop) {
  const auto health = client_.send(request("GET", "/health", stop));
  // The original's gateway knew /extract alone: a Space without /health is asked to read, which shows what it
  // is.
  if (is_absent(health)) return {SpaceState::Unknown, {}, "no_health"};
  auto verdict = judge_health(health, !settings_.token.empty());
  if (verdict.state != SpaceState::Awake) return verdict;
  const auto status = client_.send(request("GET", "/status", stop));
  if (!status || status->status != 200) return verdict;
  const auto json = parse_json(status->body);
  if (!json || !json->is_object()) return verdict;
  is_alcove_ = json->contains("limits") && json->contains("queue");
  if (is_alcove_)
    if (auto other = judge_version(*json)) return *std::move(other);
  if (json->value("ready", Json(true)) != Json(false)) return verdict;
  const auto error =
      json->value("error", Json()).is_string() ? json->at("error").get<std::string>() : std::string();
  if (error.find("not found") != std::string::npos)
    return {SpaceState::Misconfigured, "the Space has no models: " + error, "no_models"};
  return {SpaceState::Waking, "the Space is loading its models", "loading"};
}

void Space::probe_on(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!look_now_ && verdict_.state == SpaceState::Awake) {
      // Until somebody asks for a look, or a reading fails.
      changed_.wait(lock, stop, [this] { return look_now_ || verdict_.state != SpaceState::Awake; });
    }
    if (!look_now_) {
      const bool wanted = Clock::now() < wanted_until_;
      const auto longest = !wanted                                ? kSeldom
                           : verdict_.state == SpaceState::Waking ? kOftenWaking
                                                                  : kOftenDead;
      pause_ = std::clamp(pause_, settings_.first_look, longest);
      const auto pause = pause_;
      pause_ *= 2;
      changed_.wait_for(lock, stop, pause, [this] { return look_now_; });
    }
    if (stop.stop_requested()) return;
    look_now_ = false;
    lock.unlock();
    auto verdict = look(stop);
    if (stop.stop_requested()) return;
    take(std::move(verdict));
    lock.lock();
  }
}

void Space::take(Verdict verdict) {
  const auto now = Clock::now();
  bool woke = false;
  {
    const std::lock_guard lock(mutex_);
    // Nothing is known of it, or what a reading found out is old: let a sheet try.
    if (verdict.reason == "no_health") {
      if (verdict_.state == SpaceState::Misconfigured && now - heard_ < kSeldom) return;
      verdict.state = SpaceState::Awake;
    }
    // One that takes the connection and says nothing may be waking too.
    if (verdict.reason == "timeout") verdict.state = SpaceState::Waking;
    if (verdict.state == SpaceState::Waking) {
      if (waking_since_ == Clock::time_point{}) waking_since_ = now;
      if (now - waking_since_ > settings_.longest_wake) verdict.state = SpaceState::Unreachable;
    } else {
      if (verdict.state == SpaceState::Awake && waking_since_ != Clock::time_point{}) {
        ++cold_starts_;
        cold_start_seconds_ += std::chrono::duration<double>(now - waking_since_).count();
      }
      waking_since_ = {};
    }
    const bool differs = verdict.state != verdict_.state;
    woke = differs && verdict.state == SpaceState::Awake;
    heard_ = now;
    if (woke) pause_ = settings_.first_look;
    verdict_ = std::move(verdict);
    if (differs)
      log(verdict_.state == SpaceState::Awake || verdict_.state == SpaceState::Waking ? LogLevel::Info
                                                                                      : LogLevel::Warning,
          "space_state",
          {{"state", std::string(name_of(verdict_.state))},
           {"why", verdict_.why},
           {"logs", settings_.address.logs}});
  }
  changed_.notify_all();
  if (woke && settings_.awake) settings_.awake();
}

void Space::note_success() {
  const std::lock_guard lock(mutex_);
  failures_ = 0;
  open_until_ = {};
  heard_ = Clock::now();
}

void Space::note_failure(const Verdict& verdict) {
  {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    heard_ = now;
    log(LogLevel::Warning, "space_failed",
        {{"reason", verdict.reason}, {"why", verdict.why}, {"logs", settings_.address.logs}});
    if (verdict.state == SpaceState::Awake) return;  // full is not broken
    if (++failures_ >= kFailuresToOpen) {
      const auto doubled = settings_.open_circuit * (1 << std::min(failures_ - kFailuresToOpen, 3));
      open_until_ = now + std::min(doubled, settings_.open_circuit * 10);
    }
    verdict_ = verdict;
    if (verdict.state == SpaceState::Waking && waking_since_ == Clock::time_point{}) waking_since_ = now;
    pause_ = settings_.first_look;
  }
  changed_.notify_all();
}

Result<net::Reply> Space::post(const SheetToRead& sheet, const std::stop_token& stop) const {
  // What the class list is matched against later.
  auto asked = request("POST", is_alcove_ ? "/extract?posteriors=1" : "/extract", stop);
  asked.limits.total = settings_.reading;
  asked.headers.push_back({"Idempotency-Key", sheet.uuid});
  asked.headers.push_back({"X-Request-Id", sheet.uuid});
  std::vector<net::FormPart> parts{{.name = "file", .file_name = sheet.file_name, .content = sheet.content},
                                   {.name = "exam_type", .content = as_bytes(sheet.exam_type)}};
  if (!sheet.password.empty()) parts.push_back({.name = "password", .content = as_bytes(sheet.password)});
  asked.body = std::move(parts);
  return client_.send(asked);
}

// Sent once, asked for often: no proxy cuts it, and no sheet is read twice.
std::optional<Outcome> Space::read_as_job(const SheetToRead& sheet, const std::stop_token& stop) const {
  auto asked = request("PUT", "/jobs/" + sheet.uuid, stop);
  asked.limits.total = settings_.reading;
  asked.body =
      std::vector<net::FormPart>{{.name = "file", .file_name = sheet.file_name, .content = sheet.content},
                                 {.name = "exam_type", .content = as_bytes(sheet.exam_type)},
                                 {.name = "password", .content = as_bytes(sheet.password)}};
  auto reply = client_.send(asked);
  const auto end = Clock::now() + settings_.job;
  milliseconds pause = settings_.first_look;
  while (reply && (reply->status == 200 || reply->status == 202)) {
    const auto job = parse_json(reply->body);
    if (!job || !job->is_object()) return std::nullopt;
    const auto results = job->find("results");
    if (results != job->end() && results->is_array() && !results->empty()) {
      const auto& line = results->front();
      const auto status = line.is_object() ? line.value("status", Json(0)) : Json(0);
      return status.is_number_integer() ? outcome_of_json(status.get<int>(), to_text(line)) : std::nullopt;
    }
    if (Clock::now() > end || !net::wait_for(pause, stop)) return std::nullopt;
    pause = std::min(2 * pause, kOftenWaking);
    reply = client_.send(request("GET", "/jobs/" + sheet.uuid, stop));
  }
  return std::nullopt;
}

Result<Outcome> Space::read(const SheetToRead& sheet, const std::stop_token& stop) {
  const auto started = Clock::now();
  const auto reply = post(sheet, stop);
  auto outcome = outcome_of_reply(reply);
  const auto verdict = outcome ? Verdict{} : judge_failure(reply, !settings_.token.empty());
  // Cut, and the Space is alive: the sheet takes longer than one exchange may.
  if (!outcome && may_be_too_long(verdict) && look(stop).state == SpaceState::Awake)
    outcome = read_as_job(sheet, stop);
  if (outcome) {
    note_success();
    outcome->served_by = Server::Remote;
    outcome->milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - started).count();
    return *std::move(outcome);
  }
  if (stop.stop_requested())
    return fail(ErrorKind::Unavailable, "the gateway is shutting down", "shutting_down");
  note_failure(verdict);
  return fail(verdict.reason == "full" ? ErrorKind::Overloaded : ErrorKind::Unavailable,
              fmt::format("{}; its logs: {}", verdict.why, settings_.address.logs), verdict.reason);
}

}  // namespace alcove::gateway
