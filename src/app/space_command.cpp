// alcove space …: a Space on the Hub, from nothing to running, and what its owner does with it afterwards.
#include <CLI/CLI.hpp>

#include "app/space_commands.h"

namespace alcove::app {

void add_space(CLI::App& parser, Run& run) {
  auto* command =
      parser.add_subcommand("space", "Create a Space on the Hub, push to it, watch it, find what is wrong");
  command->require_subcommand(1);
  command->footer("Reads HF_TOKEN (role write), HF_ENDPOINT, HF_HOME; in CI also HF_OIDC_RESOURCE.");
  add_space_new(*command, run);
  add_space_control(*command, run);
  add_space_settings(*command, run);
  add_space_workflow(*command, run);
  add_space_doctor(*command, run);
}

}  // namespace alcove::app
