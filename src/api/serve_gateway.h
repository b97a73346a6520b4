#pragma once
// The gateway as a process: takes sheets in at once, has them read by the Space or by itself, and leaves in
// order.

#include "api/serve_sheets.h"
#include "gateway/ledger.h"
#include "gateway/readers.h"

namespace alcove::api {

struct GatewayProcess {
  ServeSettings server;  // host, port, models and how sheets are read, tokens, limits
  gateway::LedgerSettings ledger;
  gateway::ReadersSettings readers;
  std::string space_url, space_repository, space_token, hub_token;
  int workers = 4;  // sheets under way at once, wherever they are read
};

// Serves until SIGTERM or SIGINT; what is under way then is recorded, what waits stays queued. Errors as
// serve_answer_sheet(), and the ledger's. Once a process.
Result<void> serve_gateway(const GatewayProcess& process);

// The same without a server: helps gateways that share a database. BadInput without one.
Result<void> run_worker(const GatewayProcess& process);

}  // namespace alcove::api
