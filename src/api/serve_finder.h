#pragma once
// The paper finder as a process: wires index, model and server, and leaves in order.

#include <chrono>

#include "api/finder_space.h"
#include "api/routes.h"
#include "api/server.h"

namespace alcove::api {

// In the folder of the index while a server with it runs: its address, for programs of this machine.
inline constexpr const char* kAddressFile = "server.txt";

struct FinderProcess {
  ServerSettings server;
  Door door;
  FinderSettings finder;
  std::chrono::seconds idle_exit{0};  // after so long without a call the process ends in order; 0: never
  std::chrono::seconds drain{25};     // how long searches in hand may take after SIGTERM
};

// Serves until SIGTERM or SIGINT; a second signal ends the process at once. Words are searched as soon as it
// listens, meaning once `load` is through. BadInput when host or port cannot be used. Once a process, and on
// the thread that starts every other one.
Result<void> serve_paper_finder(const FinderProcess& process, LoadEmbedder load);

}  // namespace alcove::api
