#pragma once
// The flags that every server shares: where it listens, who may ask, what it writes down.

#include <string>

#include "api/routes.h"
#include "api/server.h"

namespace CLI {
class App;
}

namespace alcove::app {

// Raw text as the flags hold it until settle().
struct ServerOptions {
  api::ServerSettings server;
  api::Door door;
  std::string token_file;
  std::string log = "json";
  int upload_time = 300, idle_time = 60, idle_exit = 0;  // seconds
};

// --port, --host, --allowed-origin, --upload-time, --idle-time, --idle-exit, --token-file, --guard-metrics,
// --log, each with its environment twin. Defaults are what `options` holds; it has to outlive the parser.
void add_server_options(CLI::App& command, ServerOptions& options);
// For servers with models of their own; seconds, 0: never.
void add_idle_unload(CLI::App& command, int& seconds);
void add_log_option(CLI::App& command, std::string& format);

// Begins to log as asked, and puts into `server` and `door` what the flags and ALCOVE_TOKEN say. BadInput
// when the token file cannot be used.
Result<void> settle(ServerOptions& options);

}  // namespace alcove::app
