// alcove serve answer-sheet: the inference Space.

#include <CLI/CLI.hpp>

#include "api/serve_sheets.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/reader_options.h"
#include "app/server_options.h"

namespace alcove::app {
namespace {

struct ServeSheetsOptions {
  ServerOptions serving;
  api::SheetProcess process;
  int idle_unload = 0;  // seconds
};

int serve_answer_sheet(ServeSheetsOptions options, const ReaderOptions& reader_options) {
  if (const auto settled = settle(options.serving); !settled) return report(settled.error());
  auto reader = reader_settings(reader_options);
  if (!reader) return report(reader.error());
  auto& process = options.process;
  process.server = options.serving.server;
  process.door = options.serving.door;
  process.reader = *std::move(reader);
  process.sheet = reader_options.sheet;
  process.idle_exit = std::chrono::seconds(options.serving.idle_exit);
  process.idle_unload = std::chrono::seconds(options.idle_unload);
  const auto served = api::serve_answer_sheet(process);
  return served ? kDone : report(served.error());
}

}  // namespace

void add_serve(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("serve", "Serve models over HTTP");
  command->require_subcommand(1);
  add_serve_finder(*command, run);
  auto* sheets = command->add_subcommand("answer-sheet",
                                         "Detector and readers behind /extract, with a page to try a sheet");
  auto options = std::make_shared<ServeSheetsOptions>();
  auto& process = options->process;
  add_server_options(*sheets, options->serving);
  add_idle_unload(*sheets, options->idle_unload);
  sheets->add_option("--workers", process.workers, "sheets read at once")
      ->envname("ALCOVE_WORKERS")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  sheets->add_option("--queue", process.queue, "sheets that may wait; one more is answered 429")
      ->envname("ALCOVE_QUEUE")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  sheets->footer("ALCOVE_TOKEN in the environment is a bearer token that reading sheets then asks for.");
  auto reader_options = add_reader_options(*sheets);
  sheets->callback([=, &run] { run = [=] { return serve_answer_sheet(*options, *reader_options); }; });
}

}  // namespace alcove::app
