#include "hub/space_log.h"

#include <fmt/format.h>

#include <deque>

#include "hub/fields.h"
#include "net/lines.h"

namespace alcove::hub {
namespace {

using std::chrono::seconds;

constexpr int kReconnects = 5;

class Skipping {  // hands over what a replay has not shown before
 public:
  explicit Skipping(const TakeLine& take) : take_(take) {}
  void replay() { position_ = 0; }
  std::size_t shown() const { return shown_; }

  Result<void> line(const LogLine& line) {
    if (++position_ <= shown_) return {};
    ++shown_;
    return take_(line);
  }

 private:
  const TakeLine& take_;
  std::size_t position_ = 0, shown_ = 0;
};

Result<void> take_event(const net::Event& event, Skipping& lines) {
  if (!event.data.starts_with('{')) return {};  // keep-alives are empty
  const auto json = parse_json(event.data);
  if (!json) return {};
  LogLine line{text_or(*json, "timestamp"), text_or(*json, "data")};
  while (line.text.ends_with('\n') || line.text.ends_with('\r')) line.text.pop_back();
  return lines.line(line);
}

Result<net::Reply> read_once(const Space& space, LogKind kind, const LogReading& how, Skipping& lines) {
  net::EventReader events([&](const net::Event& event) { return take_event(event, lines); });
  net::LineSplitter splitter([&](std::string_view line) { return events.line(line); });
  auto request = space.session().request(
      "GET", fmt::format("{}/logs/{}", space.repo().api_path(), kind == LogKind::Build ? "build" : "run"));
  request.limits.total = seconds(0);
  request.limits.silence = how.follow ? seconds(120) : seconds(5);
  request.stop = how.stop;
  request.sink = [&](const net::Reply&, Bytes piece) { return splitter.add(piece); };
  return space.session().client().send(request);
}

bool is_broken(const Error& error) {
  return error.code == "cut" || error.code == "no_answer" || error.code == "not_connected" ||
         error.code == "timeout";
}

}  // namespace

Result<void> read_log(const Space& space, LogKind kind, const LogReading& how, const TakeLine& take) {
  Skipping lines(take);
  for (int broken = 0;;) {
    lines.replay();
    const auto before = lines.shown();
    const auto reply = read_once(space, kind, how, lines);
    if (reply && reply->status / 100 != 2)
      return std::unexpected(error_of(*reply, space.session().about(space.repo())));
    if (!reply && !is_broken(reply.error())) return std::unexpected(reply.error());
    // Silence is how a log that is read once comes to its end; it is a fault while one is followed.
    if (!how.follow && (reply || reply.error().code == "timeout")) return {};
    if (reply && how.follow) return {};
    broken = lines.shown() > before ? 1 : broken + 1;
    if (broken > kReconnects) return std::unexpected(reply.error());
    if (!net::wait_for(seconds(broken), how.stop))
      return fail(ErrorKind::Unavailable, "cancelled", "cancelled");
  }
}

Result<std::vector<LogLine>> log_tail(const Space& space, LogKind kind, std::size_t most) {
  std::deque<LogLine> last;
  TRY(read_log(space, kind, {}, [&](const LogLine& line) -> Result<void> {
    last.push_back(line);
    if (last.size() > most) last.pop_front();
    return {};
  }));
  return std::vector<LogLine>(last.begin(), last.end());
}

std::string failed_step(const std::vector<LogLine>& build_log) {
  constexpr std::string_view kTroubles[] = {"ERROR",     "error:",      "failed to", "did not complete",
                                            "not found", "No such file"};
  std::string step, trouble;
  for (const auto& line : build_log) {
    const auto bracket = line.text.find("] ");
    const bool names_step =
        line.text.find('[') < bracket && bracket != std::string::npos && line.text.find('/') < bracket;
    if (names_step) {
      step = line.text.substr(bracket + 2);
      trouble.clear();
    }
    for (const auto word : kTroubles)
      if (trouble.empty() && !names_step && line.text.find(word) != std::string::npos) trouble = line.text;
  }
  if (step.empty()) return trouble;
  return trouble.empty() ? step : fmt::format("{}: {}", step, trouble);
}

}  // namespace alcove::hub
