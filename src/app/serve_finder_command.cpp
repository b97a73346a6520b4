// alcove serve paper-finder: the search Space.

#include <CLI/CLI.hpp>
#include <filesystem>

#include "api/serve_finder.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/papers_command.h"
#include "app/server_options.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

struct ServeFinderOptions {
  ServerOptions serving;
  api::FinderProcess process;
  PapersOptions papers;
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
  if (const auto settled = settle(options.serving); !settled) return report(settled.error());
  auto& process = options.process;
  process.server = options.serving.server;
  process.door = options.serving.door;
  process.finder.data = options.papers.data;
  const auto served =
      api::serve_paper_finder(process, [papers = options.papers] { return load_and_prepare(papers); });
  return served ? kDone : report(served.error());
}

}  // namespace

void add_serve_finder(CLI::App& serve_command, Run& run) {
  auto* command = serve_command.add_subcommand("paper-finder", "An index of papers behind a page and an API");
  auto options = std::make_shared<ServeFinderOptions>();
  auto& process = options->process;
  add_server_options(*command, options->serving);
  command->add_option("--workers", process.finder.workers, "searches at work at once")
      ->envname("ALCOVE_WORKERS")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--queue", process.finder.queue, "searches that may wait; one more is answered 429")
      ->envname("ALCOVE_QUEUE")
      ->check(CLI::Range(1, 100'000))
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
