#pragma once
// The families of `alcove space`, each in a file of its own.

#include "app/commands.h"

namespace alcove::app {

void add_space_new(CLI::App& command, Run& run);  // new, push
void add_space_control(CLI::App& command,
                       Run& run);  // status, watch, logs, restart, pause, wake, hardware, delete
void add_space_settings(CLI::App& command, Run& run);  // secret, variable, volume
void add_space_workflow(CLI::App& command, Run& run);
void add_space_doctor(CLI::App& command, Run& run);

}  // namespace alcove::app
