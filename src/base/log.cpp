#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

namespace alcove {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug: return spdlog::level::debug;
    case LogLevel::Info: return spdlog::level::info;
    case LogLevel::Warning: return spdlog::level::warn;
    case LogLevel::Error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = spdlog::stderr_logger_mt("alcove");
    made->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})");
    return made;
  }();
  return *instance;
}

}  // namespace

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!logger().should_log(level_of(level))) return;
  nlohmann::ordered_json line{{"event", event}};
  for (const auto& field : fields)
    std::visit([&](const auto& value) { line[std::string(field.name)] = value; }, field.value);
  // The pattern opens the object and closes it; the fields go between, names and text escaped. A name from
  // outside may hold bytes that are not UTF-8, which a log line must survive.
  const auto text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  logger().log(level_of(level), "{}", std::string_view(text).substr(1, text.size() - 2));
}

void set_log_level(LogLevel level) { logger().set_level(level_of(level)); }

}  // namespace alcove
