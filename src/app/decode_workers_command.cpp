// alcove decode-workers: what the program calls itself as to open foreign files (imaging/decode_pool.h). Not
// for people.

#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "imaging/decode_worker.h"

namespace alcove::app {

void add_decode_workers(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("decode-workers", "");
  command->group("");  // not in --help
  command->callback([&run] { run = [] { return imaging::keep_decode_workers(); }; });
}

}  // namespace alcove::app
