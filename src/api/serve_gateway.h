#pragma once
// The gateway as a process: takes sheets in at once, has them read by the Space or by itself, and leaves in
// order.

#include <chrono>
#include <string>

#include "api/routes.h"
#include "api/server.h"
#include "gateway/ledger.h"
#include "gateway/readers.h"
#include "sheets/pipeline.h"
#include "sheets/reader.h"

namespace alcove::api {

struct GatewayProcess {
  ServerSettings server;
  Door door;
  sheets::ReaderSettings reader;  // who reads when the Space does not
  sheets::SheetOptions sheet;
  int workers_here = 2;  // sheets read here at once
  gateway::LedgerSettings ledger;
  gateway::ReadersSettings readers;
  std::string space_url, space_repository, space_token, hub_token;
  bool require_account = false;         // also before there is one
  std::chrono::seconds purge_every{0};  // what is kept long enough goes by itself; 0: never
  int workers = 4;                      // sheets under way at once, wherever they are read
  std::chrono::seconds idle_exit{0};    // without a call and with no sheet left, until it ends; 0: never
  std::chrono::seconds drain{25};       // how long the sheets in hand may take after SIGTERM
};

// Serves until SIGTERM or SIGINT; what is under way then is recorded, what waits stays queued. Errors as
// serve_answer_sheet(), and the ledger's. Once a process.
Result<void> serve_gateway(const GatewayProcess& process);

// The same without a server: helps gateways that share a database. BadInput without one.
Result<void> run_worker(const GatewayProcess& process);

}  // namespace alcove::api
