#pragma once
// What a Space writes while it is built and while it runs.

#include <functional>
#include <stop_token>

#include "hub/space.h"

namespace alcove::hub {

enum class LogKind { Build, Run };

struct LogLine {
  std::string time;  // ISO 8601, as the Hub gives it
  std::string text;  // without its line break
};

// One by one, in order. An error ends the reading and is what the caller gets.
using TakeLine = std::function<Result<void>(const LogLine&)>;

struct LogReading {
  bool follow = false;  // else: what there is, ending when the stream has been silent for five seconds
  std::stop_token stop;
};

// The stream begins anew with each connection: after one that broke, the lines already handed over are
// skipped.
Result<void> read_log(const Space& space, LogKind kind, const LogReading& how, const TakeLine& take);

// The last lines of what there is.
Result<std::vector<LogLine>> log_tail(const Space& space, LogKind kind, std::size_t lines);

// The step of a Docker build that failed, for people: the last line that names a step, and the error after
// it; empty when the log shows none.
std::string failed_step(const std::vector<LogLine>& build_log);

}  // namespace alcove::hub
