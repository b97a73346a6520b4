// alcove model pull: files of a Hub repository into the cache that the Hub's other clients share.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/space_target.h"
#include "app/transfer_line.h"
#include "hub/fetch.h"

namespace alcove::app {
namespace {

struct PullOptions {
  std::string repo;
  std::string kind = "model";
  std::string revision = "main";
  std::vector<std::string> files;
  hub::Patterns patterns;
};

hub::RepoKind kind_of(const std::string& word) {
  return word == "space"     ? hub::RepoKind::Space
         : word == "dataset" ? hub::RepoKind::Dataset
                             : hub::RepoKind::Model;
}

Result<void> pull(const PullOptions& options) {
  const hub::Session session(TRY(hub::read_settings(hub::process_environment())));
  const auto repo = TRY(hub::parse_repo(options.repo, kind_of(options.kind)));
  TransferLine line;
  const hub::FetchOptions fetch{.progress = line.progress()};
  if (!options.files.empty()) {
    for (const auto& file : options.files)
      fmt::print("{}\n", TRY(hub::fetch_file(session, repo, options.revision, file, fetch)).string());
    return {};
  }
  const auto snapshot = TRY(hub::fetch_snapshot(session, repo, options.revision, options.patterns, fetch));
  fmt::print(stderr, "{}, {}, commit {:.12}\n", count_text(snapshot.files, "file"), size_text(snapshot.bytes),
             snapshot.commit);
  fmt::print("{}\n", snapshot.folder.string());
  return {};
}

}  // namespace

void add_model_pull(CLI::App& command, Run& run) {
  auto* pulling = command.add_subcommand(
      "pull", "Fetch a Hub repository, or files of it, into the shared cache; prints where they lie");
  auto options = std::make_shared<PullOptions>();
  pulling->add_option("REPO", options->repo, "OWNER/NAME")->required();
  pulling->add_option("FILE", options->files, "single files; all of them when none is named");
  pulling->add_option("--revision", options->revision, "branch, tag or commit")->capture_default_str();
  pulling->add_option("--kind", options->kind, "model, dataset or space")
      ->check(CLI::IsMember({"model", "dataset", "space"}))
      ->capture_default_str();
  pulling->add_option("--include", options->patterns.allow, "only files like these, e.g. '*.safetensors'");
  pulling->add_option("--exclude", options->patterns.ignore, "no files like these");
  pulling->footer(
      "Reads HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE. Started again, it goes on "
      "where it ended.");
  pulling->callback([=, &run] {
    run = [=] {
      const auto done = pull(*options);
      return done ? kDone : report(done.error());
    };
  });
}

}  // namespace alcove::app
