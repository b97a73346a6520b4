#pragma once
// The program's one log line, on standard error: a timestamp, a level, an event word, and fields. JSON, or
// for reading at a desk `time level event name=value …`. Never pass a file's content, a token or a reading:
// logs outlive the sheets they speak of.

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace alcove {

enum class LogLevel { Debug, Info, Warning, Error };
enum class LogFormat { JsonLines, Text };

struct LogField {
  std::string_view name;
  std::variant<std::string, double, long long, bool> value;
};

// Safe from any thread. Lines below the level set are dropped.
void log(LogLevel level, std::string_view event, std::span<const LogField> fields);
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
void set_log_level(LogLevel level);
void set_log_format(LogFormat format);  // before threads are started

// The fields of one line as each format writes them, without time and level; control characters and bytes
// that are not UTF-8 cannot end a line or break it.
std::string log_text(LogFormat format, std::string_view event, std::span<const LogField> fields);

}  // namespace alcove
