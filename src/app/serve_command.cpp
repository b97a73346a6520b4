// alcove serve answer-sheet: the inference Space.

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "api/serve_sheets.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/reader_options.h"

namespace alcove::app {
namespace {

int serve_answer_sheet(api::ServeSettings settings, const ReaderOptions& reader_options) {
  auto reader = reader_settings(reader_options);
  if (!reader) return report(reader.error());
  settings.reader = *std::move(reader);
  settings.sheet = reader_options.sheet;
  const auto served = api::serve_answer_sheet(settings);
  return served ? kDone : report(served.error());
}

}  // namespace

void add_serve(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("serve", "Serve models over HTTP");
  command->require_subcommand(1);
  auto* sheets = command->add_subcommand("answer-sheet",
                                         "Detector and readers behind /extract, with a page to try a sheet");
  auto settings = std::make_shared<api::ServeSettings>();
  sheets->add_option("--port", settings->port, "port to listen on")
      ->envname("PORT")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  sheets->add_option("--host", settings->host, "address to listen on")
      ->envname("ALCOVE_HOST")
      ->capture_default_str();
  sheets->add_option("--workers", settings->workers, "sheets read at once")
      ->envname("ALCOVE_WORKERS")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  sheets->add_option("--queue", settings->queue, "sheets that may wait; one more is answered 429")
      ->envname("ALCOVE_QUEUE")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  sheets
      ->add_option("--allowed-origin", settings->allowed_origin,
                   "pages elsewhere that may call; empty for none")
      ->envname("ALCOVE_ALLOWED_ORIGIN")
      ->capture_default_str();
  // Only from the environment: the arguments of a process are there for everybody on the machine to see.
  if (const char* token = std::getenv("ALCOVE_TOKEN"); token != nullptr) settings->token = token;
  sheets->footer("ALCOVE_TOKEN in the environment is the bearer token that /extract then asks for.");
  auto reader_options = add_reader_options(*sheets);
  sheets->callback([=, &run] { run = [=] { return serve_answer_sheet(*settings, *reader_options); }; });
}

}  // namespace alcove::app
