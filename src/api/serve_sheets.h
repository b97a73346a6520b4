#pragma once
// The answer-sheet Space as a process: binds, answers probes at once, loads the models behind them, and
// leaves in order when it is told to.

#include <chrono>

#include "api/routes.h"
#include "api/server.h"
#include "sheets/pipeline.h"
#include "sheets/reader.h"

namespace alcove::api {

struct SheetProcess {
  ServerSettings server;
  Door door;
  sheets::ReaderSettings reader;        // its engine.requests is set to `workers`
  sheets::SheetOptions sheet;           // how each sheet is read; its password and page are not used
  int workers = 2;                      // sheets read at once; decoding one overlaps with reading another
  std::size_t queue = 32;               // sheets that may wait; the next one is answered 429
  std::chrono::seconds idle_exit{0};    // after so long without a call the process ends in order; 0: never
  std::chrono::seconds idle_unload{0};  // after so long without a sheet its models are put away; 0: never
  std::chrono::seconds drain{25};       // how long the sheets in hand may take after SIGTERM
};

// Serves until SIGTERM or SIGINT: /readyz turns 503, new sheets are refused, those in hand are finished. A
// second signal ends the process at once. BadInput when host or port cannot be used, with the reason. Once a
// process, and on the thread that starts every other one: it blocks those signals first.
Result<void> serve_answer_sheet(const SheetProcess& process);

}  // namespace alcove::api
