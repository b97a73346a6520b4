#include "app/server_options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "base/log.h"

namespace alcove::app {

void add_server_options(CLI::App& command, ServerOptions& options) {
  command.add_option("--port", options.server.port, "port to listen on")
      ->envname("PORT")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  command.add_option("--host", options.server.host, "address to listen on")
      ->envname("ALCOVE_HOST")
      ->capture_default_str();
  command
      .add_option("--allowed-origin", options.server.allowed_origins,
                  "pages elsewhere that may call, with commas between; * for all, none for none")
      ->envname("ALCOVE_ALLOWED_ORIGIN")
      ->delimiter(',')
      ->capture_default_str();
  command
      .add_option("--upload-time", options.upload_time,
                  "seconds for a request to arrive; longer is answered 408")
      ->envname("ALCOVE_UPLOAD_TIME")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  command
      .add_option("--idle-time", options.idle_time, "seconds until a connection that asks nothing is closed")
      ->envname("ALCOVE_IDLE_TIME")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  command
      .add_option("--idle-exit", options.idle_exit,
                  "seconds without a call, probes aside, until the program ends by itself; 0: never")
      ->envname("ALCOVE_IDLE_EXIT")
      ->check(CLI::Range(0, 31'536'000))
      ->capture_default_str();
  command
      .add_option("--token-file", options.token_file,
                  "file of bearer tokens, one a line, beside ALCOVE_TOKEN")
      ->envname("ALCOVE_TOKEN_FILE");
  command.add_flag("--guard-metrics", options.door.guard_figures, "/metrics and /status want a token too")
      ->envname("ALCOVE_GUARD_METRICS");
  add_log_option(command, options.log);
}

void add_idle_unload(CLI::App& command, int& seconds) {
  command
      .add_option(
          "--idle-unload", seconds,
          "seconds without work until models leave the memory; the next caller waits for them; 0: never")
      ->envname("ALCOVE_IDLE_UNLOAD")
      ->check(CLI::Range(0, 31'536'000))
      ->capture_default_str();
}

void add_log_option(CLI::App& command, std::string& format) {
  command.add_option("--log", format, "json, or text for reading at a desk")
      ->envname("ALCOVE_LOG")
      ->check(CLI::IsMember({"json", "text"}))
      ->capture_default_str();
}

Result<void> settle(ServerOptions& options) {
  set_log_format(options.log == "text" ? LogFormat::Text : LogFormat::JsonLines);
  auto& server = options.server;
  if (server.host == "localhost") server.host = "127.0.0.1";
  server.upload_time = std::chrono::seconds(options.upload_time);
  server.idle_time = std::chrono::seconds(options.idle_time);
  // Secrets come from the environment or a file: the arguments of a process are there for everybody to see.
  if (const char* token = std::getenv("ALCOVE_TOKEN"); token != nullptr) options.door.tokens.add(token);
  if (!options.token_file.empty()) TRY(options.door.tokens.add_file(options.token_file));
  return {};
}

}  // namespace alcove::app
