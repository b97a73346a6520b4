// alcove serve paper-finder: the search Space.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>

#include "api/serve_finder.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/finder_model.h"
#include "app/papers_command.h"
#include "app/server_options.h"
#include "base/log.h"
#include "base/sha256.h"
#include "papers/resting_embedder.h"
#include "store/paper_folder.h"
#include "store/paper_snapshots.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFirstVenue = "NeurIPS.cc/2025/Conference";  // the original finder's

struct ServeFinderOptions {
  ServerOptions serving;
  api::FinderProcess process;
  PapersOptions papers;
  std::string work, shipped, store;
  int idle_unload = 0;  // seconds
};

// Where a Space's storage is mounted, else a folder beside whoever starts it.
std::string storage_folder() {
  std::error_code unreadable;
  return fs::is_directory("/data", unreadable) ? "/data" : "./persistent_storage";
}

// One for each storage folder, on this machine's own disk.
fs::path work_folder(const fs::path& storage) {
  std::error_code unknown;
  const auto path = fs::absolute(storage, unknown).lexically_normal().string();
  return fs::temp_directory_path(unknown) /
         fmt::format("alcove-papers-{}-{}", ::getuid(), sha256_hex(as_bytes(path)).substr(0, 12));
}

// The folders the set-up guide names. A storage that cannot be written may still be read.
void make_folders(const fs::path& storage, const fs::path& weights) {
  std::error_code failure;
  fs::create_directories(weights, failure);
  if (!failure && store::index_folder(storage) == storage && !store::PaperFolder(storage).exists())
    fs::create_directories(storage / "chroma_db_index", failure);
  if (failure)
    log(LogLevel::Warning, "startup",
        {{"message", fmt::format("{} cannot be written: {}; set --data to a folder that can",
                                 storage.string(), failure.message())}});
  log(LogLevel::Info, "startup",
      {{"message", fmt::format("Ensured directories exist: {}, {}", weights.string(),
                               store::index_folder(storage).string())}});
}

// The index lies where it is served from, unless that is a mount: then it is copied there.
void choose_index(const ServeFinderOptions& options, api::FinderSettings& finder) {
  const fs::path storage = options.papers.data;
  finder.indexer.data = store::index_folder(storage);
  if (options.work.empty() && !store::is_mount_to_mistrust(storage)) return;
  finder.snapshots = finder.indexer.data;
  finder.indexer.data = options.work.empty() ? work_folder(storage) : fs::path(options.work);
}

// An index that came along with the program; one that cannot be taken leaves what is there.
void take_shipped(const std::string& shipped, const api::FinderSettings& finder) {
  if (shipped.empty()) return;
  const auto taken = store::take_shipped(shipped, finder.indexer.data, finder.snapshots);
  if (!taken)
    log(LogLevel::Warning, "index_not_taken", {{"reason", taken.error().message}});
  else if (*taken)
    log(LogLevel::Info, "index_taken", {{"from", shipped}});
}

Result<void> choose_store(const std::string& store, api::FinderSettings& finder) {
  if (store.empty()) return {};
  auto address = TRY(papers::read_chroma_address(store));
  if (const char* token = std::getenv("ALCOVE_STORE_TOKEN")) address.token = token;
  finder.mirror = std::make_shared<papers::VectorMirror>(std::move(address));
  return {};
}

int serve(ServeFinderOptions options) {
  if (const auto settled = settle(options.serving); !settled) return report(settled.error());
  auto& process = options.process;
  process.server = options.serving.server;
  process.door = options.serving.door;
  const auto weights = fs::path(options.papers.data) / "model_weights";
  make_folders(options.papers.data, weights);
  choose_index(options, process.finder);
  take_shipped(options.shipped, process.finder);
  if (const auto chosen = choose_store(options.store, process.finder); !chosen) return report(chosen.error());
  auto& venues = process.finder.indexer.venues;
  if (venues.empty()) process.finder.indexer.first_venue = kFirstVenue;
  std::erase(venues, "none");
  process.idle_exit = std::chrono::seconds(options.serving.idle_exit);
  const auto load = [papers = options.papers, weights] { return load_or_fetch_model(papers, weights); };
  const auto served = api::serve_paper_finder(process, [&]() -> Result<std::shared_ptr<papers::Embedder>> {
    auto embedder = TRY(load());
    if (!embedder || options.idle_unload == 0) return embedder;
    return papers::rest_when_idle(std::move(embedder), load, std::chrono::seconds(options.idle_unload));
  });
  return served ? kDone : report(served.error());
}

void add_search_limits(CLI::App& command, api::FinderSettings& finder) {
  command.add_option("--workers", finder.workers, "searches at work at once")
      ->envname("ALCOVE_WORKERS")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command.add_option("--queue", finder.queue, "searches that may wait; one more is answered 429")
      ->envname("ALCOVE_QUEUE")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
}

void add_indexing_options(CLI::App& command, ServeFinderOptions& options) {
  auto& indexer = options.process.finder.indexer;
  command
      .add_option("--venue", indexer.venues,
                  fmt::format("keep these venues of OpenReview in the index, with commas between; none for "
                              "none [{} while the index is empty]",
                              kFirstVenue))
      ->envname("ALCOVE_VENUES")
      ->delimiter(',');
  command
      .add_option_function<int>(
          "--fresh", [&indexer](int days) { indexer.fresh = std::chrono::hours(24 * days); },
          "days after which a venue is fetched again; 0 for never [7]")
      ->envname("ALCOVE_FRESH")
      ->check(CLI::Range(0, 3650));
  command
      .add_option("--work", options.work,
                  "folder on this machine's own disk for the index; --data then gets checked copies of it "
                  "[one in the temporary folder, where --data is a network or FUSE mount]")
      ->envname("ALCOVE_WORK");
  command
      .add_option("--index", options.shipped,
                  "folder with an index made elsewhere; it takes the place of the one in --data, once")
      ->envname("ALCOVE_INDEX");
  command
      .add_option("--store", options.store,
                  "a Chroma server that holds and compares the vectors: chroma://HOST:PORT[/COLLECTION], or "
                  "chroma+https://…; its token is ALCOVE_STORE_TOKEN [vectors are compared in this process]")
      ->envname("ALCOVE_STORE");
  add_openreview_options(command, indexer.source);
}

}  // namespace

void add_serve_finder(CLI::App& serve_command, Run& run) {
  auto* command = serve_command.add_subcommand("paper-finder", "An index of papers behind a page and an API");
  auto options = std::make_shared<ServeFinderOptions>();
  add_server_options(*command, options->serving);
  add_idle_unload(*command, options->idle_unload);
  add_search_limits(*command, options->process.finder);
  options->papers.data = storage_folder();
  add_papers_options(*command, options->papers);
  add_indexing_options(*command, *options);
  command->footer(
      "--data is the storage folder: the model goes to its model_weights, the index to its chroma_db_index "
      "unless one lies in the folder itself. --model, --adapter and --query-adapter are folders, or "
      "repositories of the Hub's that are fetched once; without them SPECTER2 is; --model none is for words "
      "alone.\n"
      "Papers come from OpenReview, or by `alcove papers index` and `alcove papers import` with the same "
      "--data, while this runs or before.\n"
      "ALCOVE_TOKEN in the environment is a bearer token that vectors, calls of tools and changes of the "
      "index "
      "then ask for.");
  command->callback([=, &run] { run = [=] { return serve(*options); }; });
}

}  // namespace alcove::app
