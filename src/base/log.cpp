#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

namespace alcove {
namespace {

constexpr auto kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})";
constexpr auto kTextPattern = "%Y-%m-%d %H:%M:%S.%e %l %v";

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug: return spdlog::level::debug;
    case LogLevel::Info: return spdlog::level::info;
    case LogLevel::Warning: return spdlog::level::warn;
    case LogLevel::Error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

struct Output {
  LogFormat format = LogFormat::JsonLines;
  std::shared_ptr<spdlog::logger> logger = spdlog::stderr_logger_mt("alcove");
};

Output& output() {
  static auto instance = [] {
    Output made;
    made.logger->set_pattern(kJsonPattern);
    return made;
  }();
  return instance;
}

// A name from outside may hold bytes that are not UTF-8, which a log line must survive.
std::string dumped(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

nlohmann::ordered_json json_of(const LogField& field) {
  return std::visit([](const auto& value) { return nlohmann::ordered_json(value); }, field.value);
}

}  // namespace

std::string log_text(LogFormat format, std::string_view event, std::span<const LogField> fields) {
  if (format == LogFormat::Text) {
    std::string line(event);
    for (const auto& field : fields)
      line.append(" ").append(field.name).append("=").append(dumped(json_of(field)));
    return line;
  }
  nlohmann::ordered_json object{{"event", event}};
  for (const auto& field : fields) object[std::string(field.name)] = json_of(field);
  // The pattern opens the object and closes it; the fields go between.
  const auto text = dumped(object);
  return text.substr(1, text.size() - 2);
}

void log(LogLevel level, std::string_view event, std::span<const LogField> fields) {
  auto& [format, logger] = output();
  if (logger->should_log(level_of(level)))
    logger->log(level_of(level), "{}", log_text(format, event, fields));
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  log(level, event, std::span(fields.begin(), fields.size()));
}

void set_log_level(LogLevel level) { output().logger->set_level(level_of(level)); }

void set_log_format(LogFormat format) {
  output().format = format;
  output().logger->set_pattern(format == LogFormat::JsonLines ? kJsonPattern : kTextPattern);
}

}  // namespace alcove
