// alcove serve paper-finder: the search Space.

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>

#include "api/serve_finder.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/papers_command.h"
#include "base/log.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

struct ServeFinderOptions {
  api::FinderProcess process;
  PapersOptions papers;
  std::string token_file;
  std::string log = "json";
};

// Where a Space's storage is mounted, else a folder beside whoever starts it.
std::string storage_folder() {
  std::error_code unreadable;
  return fs::is_directory("/data", unreadable) ? "/data" : "./persistent_storage";
}

// Compiled before it is needed, so that the first search by meaning is as quick as the others.
Result<std::shared_ptr<papers::Embedder>> load_and_prepare(const PapersOptions& options) {
  auto embedder = TRY(load_model(options));
  if (embedder) TRY(embedder->prepare(papers::Purpose::Query));
  return embedder;
}

int serve(ServeFinderOptions options) {
  set_log_format(options.log == "text" ? LogFormat::Text : LogFormat::JsonLines);
  auto& process = options.process;
  if (process.server.host == "localhost") process.server.host = "127.0.0.1";
  process.finder.data = options.papers.data;
  // Only from the environment or a file: the arguments of a process are there for everybody to see.
  if (const char* token = std::getenv("ALCOVE_TOKEN"); token != nullptr) process.door.tokens.add(token);
  if (!options.token_file.empty())
    if (const auto added = process.door.tokens.add_file(options.token_file); !added)
      return report(added.error());
  const auto served =
      api::serve_paper_finder(process, [papers = options.papers] { return load_and_prepare(papers); });
  return served ? kDone : report(served.error());
}

}  // namespace

void add_serve_finder(CLI::App& serve_command, Run& run) {
  auto* command = serve_command.add_subcommand("paper-finder", "An index of papers behind a page and an API");
  auto options = std::make_shared<ServeFinderOptions>();
  auto& process = options->process;
  command->add_option("--port", process.server.port, "port to listen on")
      ->envname("PORT")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  command->add_option("--host", process.server.host, "address to listen on")
      ->envname("ALCOVE_HOST")
      ->capture_default_str();
  command->add_option("--workers", process.finder.workers, "searches at work at once")
      ->envname("ALCOVE_WORKERS")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--queue", process.finder.queue, "searches that may wait; one more is answered 429")
      ->envname("ALCOVE_QUEUE")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command
      ->add_option("--allowed-origin", process.server.allowed_origins,
                   "pages elsewhere that may call, with commas between; * for all, none for none")
      ->envname("ALCOVE_ALLOWED_ORIGIN")
      ->delimiter(',')
      ->capture_default_str();
  command
      ->add_option("--token-file", options->token_file,
                   "file of bearer tokens, one a line, beside ALCOVE_TOKEN")
      ->envname("ALCOVE_TOKEN_FILE");
  command->add_flag("--guard-metrics", process.door.guard_figures, "/metrics and /status want a token too")
      ->envname("ALCOVE_GUARD_METRICS");
  command->add_option("--log", options->log, "json, or text for reading at a desk")
      ->envname("ALCOVE_LOG")
      ->check(CLI::IsMember({"json", "text"}))
      ->capture_default_str();
  options->papers.data = storage_folder();
  add_papers_options(*command, options->papers);
  command->footer(
      "Papers come in by `alcove papers index` and `alcove papers import` with the same --data, while this "
      "runs or before.\n"
      "ALCOVE_TOKEN in the environment is a bearer token that vectors and calls of tools then ask for.");
  command->callback([=, &run] { run = [=] { return serve(*options); }; });
}

}  // namespace alcove::app
