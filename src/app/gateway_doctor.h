#pragma once
// alcove gateway doctor: looks at everything a gateway needs, changes nothing, says what to mend.

#include "app/commands.h"

namespace alcove::app {

void add_gateway_doctor(CLI::App& gateway, Run& run);

}  // namespace alcove::app
