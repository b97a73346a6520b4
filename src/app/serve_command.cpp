// alcove serve answer-sheet: the inference Space.

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "api/serve_sheets.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/reader_options.h"
#include "base/log.h"

namespace alcove::app {
namespace {

struct ServeOptions {
  api::ServeSettings settings;
  int upload_time = 300, idle_time = 60;  // seconds
  std::string token_file;
  std::string log = "json";
};

int serve_answer_sheet(ServeOptions options, const ReaderOptions& reader_options) {
  set_log_format(options.log == "text" ? LogFormat::Text : LogFormat::JsonLines);
  auto reader = reader_settings(reader_options);
  if (!reader) return report(reader.error());
  options.settings.reader = *std::move(reader);
  options.settings.sheet = reader_options.sheet;
  // Only from the environment or a file: the arguments of a process are there for everybody on the machine to
  // see.
  if (const char* token = std::getenv("ALCOVE_TOKEN"); token != nullptr) options.settings.tokens.add(token);
  if (!options.token_file.empty())
    if (const auto added = options.settings.tokens.add_file(options.token_file); !added)
      return report(added.error());
  options.settings.upload_time = std::chrono::seconds(options.upload_time);
  options.settings.idle_time = std::chrono::seconds(options.idle_time);
  const auto served = api::serve_answer_sheet(options.settings);
  return served ? kDone : report(served.error());
}

}  // namespace

void add_serve(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("serve", "Serve models over HTTP");
  command->require_subcommand(1);
  add_serve_finder(*command, run);
  auto* sheets = command->add_subcommand("answer-sheet",
                                         "Detector and readers behind /extract, with a page to try a sheet");
  auto options = std::make_shared<ServeOptions>();
  auto* settings = &options->settings;
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
      ->add_option("--allowed-origin", settings->allowed_origins,
                   "pages elsewhere that may call, with commas between; * for all, none for none")
      ->envname("ALCOVE_ALLOWED_ORIGIN")
      ->delimiter(',')
      ->capture_default_str();
  sheets
      ->add_option("--upload-time", options->upload_time,
                   "seconds for a request to arrive; longer is answered 408")
      ->envname("ALCOVE_UPLOAD_TIME")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  sheets
      ->add_option("--idle-time", options->idle_time,
                   "seconds until a connection that asks nothing is closed")
      ->envname("ALCOVE_IDLE_TIME")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  sheets
      ->add_option("--token-file", options->token_file,
                   "file of bearer tokens, one a line, beside ALCOVE_TOKEN")
      ->envname("ALCOVE_TOKEN_FILE");
  sheets->add_flag("--guard-metrics", settings->guard_metrics, "/metrics and /status want a token too")
      ->envname("ALCOVE_GUARD_METRICS");
  sheets->add_option("--log", options->log, "json, or text for reading at a desk")
      ->envname("ALCOVE_LOG")
      ->check(CLI::IsMember({"json", "text"}))
      ->capture_default_str();
  sheets->footer("ALCOVE_TOKEN in the environment is a bearer token that reading sheets then asks for.");
  auto reader_options = add_reader_options(*sheets);
  sheets->callback([=, &run] { run = [=] { return serve_answer_sheet(*options, *reader_options); }; });
}

}  // namespace alcove::app
