#include "api/gradio_queue.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "base/json.h"

namespace alcove::api {
namespace {

// Exactly this: the Python client splits at the empty line and takes no other kind of line.
std::string event_line(const Json& message) { return fmt::format("data: {}\n\n", to_text(message)); }

std::string outcome_message(const std::string& event, const GradioOutcome& outcome) {
  if (outcome)
    return fmt::format(
        "data: {{\"msg\":\"process_completed\",\"event_id\":\"{}\",\"output\":{{\"data\":{},"
        "\"is_generating\":false}},\"success\":true}}\n\n",
        event, *outcome);
  // No other key may stand beside these: the Python client hands them on as named arguments.
  return event_line({{"msg", "process_completed"},
                     {"event_id", event},
                     {"output", {{"error", outcome.error().message}, {"title", "Error"}}},
                     {"success", false}});
}

std::string new_id(std::uint64_t number) {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return fmt::format("{:016x}{:08x}", random(), number);
}

}  // namespace

GradioQueue::GradioQueue(QueueLimits limits) : limits_(limits), heart_([this] { keep_alive(); }) {}

GradioQueue::~GradioQueue() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  heart_.join();
}

Result<std::string> GradioQueue::join(const std::string& session) {
  const std::lock_guard lock(mutex_);
  if (!sessions_.contains(session) && sessions_.size() >= limits_.sessions)
    return fail(ErrorKind::Overloaded, "Queue is full: too many clients at once; try again in a moment");
  auto& mine = sessions_[session];
  if (mine.open_calls >= limits_.calls)
    return fail(ErrorKind::Overloaded, "Queue is full: wait for the answers of the calls before");
  ++mine.open_calls;
  mine.touched = Clock::now();
  auto event = new_id(++last_);
  calls_[event] = {.session = session};
  say(mine, event_line({{"msg", "estimation"},
                        {"event_id", event},
                        {"rank", 0},
                        {"queue_size", 1},
                        {"rank_eta", nullptr}}));
  return event;
}

void GradioQueue::begin(const std::string& event) {
  const std::lock_guard lock(mutex_);
  const auto call = calls_.find(event);
  if (call == calls_.end() || call->second.done) return;
  if (const auto session = sessions_.find(call->second.session); session != sessions_.end())
    say(session->second, event_line({{"msg", "process_starts"}, {"event_id", event}, {"eta", nullptr}}));
}

void GradioQueue::finish(const std::string& event, const GradioOutcome& outcome) {
  const std::lock_guard lock(mutex_);
  finish_locked(event, outcome);
}

void GradioQueue::finish_locked(const std::string& event, const GradioOutcome& outcome) {
  const auto found = calls_.find(event);
  if (found == calls_.end() || found->second.done) return;
  auto& call = found->second;
  call.done = true;
  call.touched = Clock::now();
  call.said = outcome
                  ? fmt::format("event: complete\ndata: {}\n\n", *outcome)
                  : fmt::format("event: error\ndata: {}\n\n", to_text({{"error", outcome.error().message}}));
  if (call.out) {
    call.out->send(call.said);
    call.out->end();
  }
  const auto session = sessions_.find(call.session);
  if (session == sessions_.end()) return;
  say(session->second, outcome_message(event, outcome));
  --session->second.open_calls;
  end_if_done(call.session);
}

void GradioQueue::cancel(const std::string& event) {
  const std::lock_guard lock(mutex_);
  finish_locked(event, std::unexpected(Error{ErrorKind::Unavailable, "Cancelled", {}}));
}

bool GradioQueue::wanted(const std::string& event) const {
  const std::lock_guard lock(mutex_);
  const auto call = calls_.find(event);
  return call != calls_.end() && !call->second.done;
}

void GradioQueue::listen(const std::string& session, std::shared_ptr<Outflow> out) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) {
    out->send(event_line({{"msg", "unexpected_error"},
                          {"event_id", nullptr},
                          {"message", "404: Not Found"},
                          {"session_not_found", true},
                          {"success", false}}));
    return out->end();
  }
  auto& mine = found->second;
  if (mine.out) mine.out->end();  // one stream a session: the newer one takes over
  mine.out = std::move(out);
  for (auto& message : std::exchange(mine.unsaid, {})) mine.out->send(message);
  end_if_done(session);
}

void GradioQueue::listen_to_call(const std::string& event, std::shared_ptr<Outflow> out) {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(event);
  if (found != calls_.end() && !found->second.done) {
    found->second.out = std::move(out);
    return;
  }
  out->send(found == calls_.end() ? "event: error\ndata: \"404: Not Found\"\n\n" : found->second.said);
  out->end();
}

void GradioQueue::beat(std::shared_ptr<Outflow> out) {
  out->send("data: ALIVE\n\n");
  const std::lock_guard lock(mutex_);
  beaten_.push_back(std::move(out));
}

void GradioQueue::say(Session& session, std::string message) {
  session.touched = Clock::now();
  if (!session.out || !session.out->send(message)) session.unsaid.push_back(std::move(message));
}

// Clients take the stream's end for the end of all calls, and hang when it does not come.
void GradioQueue::end_if_done(const std::string& name) {
  const auto found = sessions_.find(name);
  if (found == sessions_.end() || found->second.open_calls > 0 || !found->second.out) return;
  found->second.out->send(event_line({{"msg", "close_stream"}, {"event_id", nullptr}}));
  found->second.out->end();
  sessions_.erase(found);
}

void GradioQueue::keep_alive() {
  std::unique_lock lock(mutex_);
  while (!stopping_.wait_for(lock, limits_.heartbeat, [this] { return stop_; })) {
    const auto forgotten = Clock::now() - limits_.unheard;
    const auto beat_line = event_line({{"msg", "heartbeat"}, {"event_id", nullptr}});
    for (auto& [name, session] : sessions_)
      if (session.out && !session.out->send(beat_line)) session.out.reset();
    for (auto& [event, call] : calls_)
      if (call.out && !call.done) call.out->send("event: heartbeat\ndata: null\n\n");
    std::erase_if(beaten_, [](const auto& out) { return !out->send("data: ALIVE\n\n"); });
    std::erase_if(calls_,
                  [&](const auto& each) { return each.second.done && each.second.touched < forgotten; });
    std::erase_if(sessions_, [&](const auto& each) {
      return !each.second.out && each.second.open_calls == 0 && each.second.touched < forgotten;
    });
  }
}

}  // namespace alcove::api
