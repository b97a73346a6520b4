#pragma once
// The answer-sheet Space as a process: binds, answers probes at once, loads the models behind them, and
// leaves in order when it is told to.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "api/server.h"
#include "api/sheet_space.h"
#include "api/tokens.h"
#include "sheets/pipeline.h"
#include "sheets/reader.h"

namespace alcove::api {

struct ServeSettings {
  std::string host = "0.0.0.0";
  int port = 7860;
  sheets::ReaderSettings reader;            // its engine.requests is set to `workers`
  sheets::SheetOptions sheet;               // how each sheet is read; its password and page are not used
  int workers = 2;                          // sheets read at once; decoding one overlaps with reading another
  std::size_t queue = 32;                   // sheets that may wait; the next one is answered 429
  std::uint64_t body_limit = 52'428'800;    // of one request, bytes; more is 413
  std::uint64_t upload_memory = 512 << 20;  // of all requests held at once, bytes; more is 429
  Tokens tokens;                            // one is wanted by whatever reads sheets; empty: none is
  bool guard_metrics = false;               // by /metrics and /status too
  std::vector<std::string> allowed_origins{"*"};  // of pages elsewhere that may call; none: no page may
  std::chrono::seconds upload_time{300};          // for one request to arrive; longer is 408
  std::chrono::seconds idle_time{60};             // of a connection between requests
  std::chrono::seconds drain{25};                 // how long the sheets in hand may take after SIGTERM
};

ServerSettings server_settings(const ServeSettings& settings);

// Serves until SIGTERM or SIGINT: /readyz turns 503, new sheets are refused, those in hand are finished. A
// second signal ends the process at once. BadInput when host or port cannot be used, with the reason. Once a
// process, and on the thread that starts every other one: it blocks those signals first.
Result<void> serve_answer_sheet(const ServeSettings& settings);

}  // namespace alcove::api
