#pragma once
// The program's one log line: JSON on standard error, a timestamp, a level, an event word, and fields.
// Never pass a file's content, a token or a reading: logs outlive the sheets they speak of.

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace alcove {

enum class LogLevel { Debug, Info, Warning, Error };

struct LogField {
  std::string_view name;
  std::variant<std::string, double, long long, bool> value;
};

// Safe from any thread. Lines below the level set are dropped.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
void set_log_level(LogLevel level);

}  // namespace alcove
