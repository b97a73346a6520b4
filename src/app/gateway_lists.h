#pragma once
// The parts of `alcove gateway` that concern class lists and the trail.

#include "app/commands.h"

namespace alcove::app {

void add_gateway_roster(CLI::App& gateway, Run& run);
void add_gateway_confirm(CLI::App& gateway, Run& run);
void add_gateway_verify_trail(CLI::App& gateway, Run& run);

}  // namespace alcove::app
