// alcove: one program, a subcommand for each job. This file is the list of them.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <system_error>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/version.h"
#include "engine/engine.h"

namespace {

// What was printed has to have arrived: a full disk must not look like an empty result.
int run_and_flush(const alcove::app::Run& run) {
  int code = alcove::app::kDone;
  bool written = true;
  try {
    code = run();
    written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  } catch (const std::system_error&) {  // of fmt::print
    written = false;
  }
  if (written) return code;
  return alcove::app::report(
      {alcove::ErrorKind::Unavailable, "standard output cannot be written; is its disk full?", {}});
}

}  // namespace

int main(int argc, char** argv) {
  alcove::engine::prepare_environment();
  CLI::App parser{"Alcove reads answer sheets: from the shell, or as a service with a page of its own."};
  parser.name("alcove");
  parser.set_version_flag("--version", alcove::app::version_text, "Show what is inside and exit");
  parser.require_subcommand(1);
  parser.footer("Exit codes: 0 done, 1 somebody has to look, 2 the call was wrong, 3 it could not run.");

  alcove::app::Run run;
  alcove::app::add_serve(parser, run);
  alcove::app::add_gateway(parser, run);
  alcove::app::add_worker(parser, run);
  alcove::app::add_watch(parser, run);
  alcove::app::add_read(parser, run);
  alcove::app::add_template(parser, run);
  alcove::app::add_model(parser, run);
  alcove::app::add_embed(parser, run);
  alcove::app::add_papers(parser, run);
  alcove::app::add_space(parser, run);
  alcove::app::add_demo(parser, run);
  alcove::app::add_decode_workers(parser, run);

  try {
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return parser.exit(error) == 0 ? alcove::app::kDone : alcove::app::kUsage;
  }
  return run_and_flush(run);
}
