// alcove papers index VENUE…: a venue's papers from OpenReview into the index.

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/exit_code.h"
#include "app/papers_command.h"
#include "base/progress.h"
#include "papers/openreview.h"

namespace alcove::app {
namespace {

struct IndexOptions {
  PapersOptions papers;
  papers::OpenReviewSettings source;
  std::vector<std::string> venues;
  bool all = false;
  bool afresh = false;
};

Result<int> index_venue(const IndexOptions& options, const std::string& venue) {
  std::unique_ptr<Progress> progress;
  std::size_t drawn = 0;
  const auto fetched =
      papers::fetch_venue(options.source, venue, options.all, [&](std::size_t done, std::size_t total) {
        if (!progress) progress = std::make_unique<Progress>(total, "papers from OpenReview");
        for (; drawn < done; ++drawn) progress->advance();
        return true;
      });
  progress.reset();
  if (!fetched) return std::unexpected(fetched.error());
  if (fetched->papers.empty()) {
    fmt::print(stderr, "alcove: OpenReview shows no {}papers of {}\n", options.all ? "" : "accepted ",
               fetched->id);
    return kNeedsAttention;
  }
  // Of all submissions some move to other venue ids; only a list of one venue's accepted papers is whole.
  const auto done =
      TRY(import_with_progress(options.papers, fetched->papers, options.all ? "" : fetched->id, {}));
  print_report(options.papers, done);
  return kDone;
}

int index(IndexOptions options) {
  options.source.cache = options.papers.index();
  if (options.afresh) options.source.fresh = std::chrono::seconds(0);
  for (const auto& venue : options.venues) {
    const auto code = index_venue(options, venue);
    if (!code) return report(code.error());
    if (*code != kDone) return *code;
  }
  return kDone;
}

}  // namespace

void add_openreview_options(CLI::App& command, papers::OpenReviewSettings& source) {
  command.add_option("--username", source.username, "of an OpenReview account")
      ->envname("OPENREVIEW_USERNAME");
  command.add_option("--password", source.password, "better in the environment than on the command line")
      ->envname("OPENREVIEW_PASSWORD");
  command.add_option("--token", source.token, "instead of name and password")->envname("OPENREVIEW_TOKEN");
  command.add_option("--api", source.api, "address of API v2")
      ->envname("OPENREVIEW_API_BASEURL_V2")
      ->capture_default_str();
  command.add_option("--older-api", source.older_api, "address of API v1")
      ->envname("OPENREVIEW_API_BASEURL_V1")
      ->capture_default_str();
  command
      .add_option_function<int>(
          "--pause", [&source](int pause) { source.pause = std::chrono::milliseconds(pause); },
          "milliseconds between two requests [1000]")
      ->check(CLI::Range(0, 60'000));
  command
      .add_option_function<int>(
          "--patience", [&source](int patience) { source.patience = std::chrono::seconds(patience); },
          "seconds to wait at most when OpenReview asks to [900]")
      ->check(CLI::Range(0, 86'400));
}

void add_papers_index(CLI::App& parser, Run& run) {
  auto* command =
      parser.add_subcommand("index", "Fetch a venue's papers from OpenReview and put them into the index");
  auto options = std::make_shared<IndexOptions>();
  command
      ->add_option("VENUE", options->venues,
                   "ids such as NeurIPS.cc/2025/Conference, or the address of the venue's page")
      ->required();
  add_papers_options(*command, options->papers);
  command->add_flag("--all", options->all, "all public submissions, not the accepted ones alone");
  command->add_flag("--afresh", options->afresh, "fetch again what was fetched within the last hour");
  add_openreview_options(*command, options->source);
  command->callback([=, &run] { run = [=] { return index(*options); }; });
}

}  // namespace alcove::app
