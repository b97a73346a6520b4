#pragma once
// The parts of `alcove gateway` beside the server itself.

#include "app/commands.h"

namespace alcove::app {

void add_gateway_roster(CLI::App& gateway, Run& run);
void add_gateway_confirm(CLI::App& gateway, Run& run);
void add_gateway_verify_trail(CLI::App& gateway, Run& run);
// gateway_people.cpp
void add_gateway_token(CLI::App& gateway, Run& run);
void add_gateway_account(CLI::App& gateway, Run& run);
void add_gateway_retention(CLI::App& gateway, Run& run);  // retention, hold, purge, student

}  // namespace alcove::app
