#pragma once
// What the subcommands of `alcove papers` share.

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/reader_options.h"
#include "papers/finder.h"
#include "papers/importer.h"
#include "papers/openreview.h"

namespace alcove::app {

struct PapersOptions {
  std::string data = "papers";
  std::string model, adapter, query_adapter;  // folders
  ReaderOptions engine;                       // how the model is run

  std::filesystem::path index() const;  // the folder of the index itself
};

struct SearchOptions {
  PapersOptions papers;
  std::string query;
  std::map<std::string, std::vector<std::string>> filters;  // by field
  std::vector<std::string> like, unlike;
  std::string mode = "both";
  std::string format = "table";
  double weight = 0.5;
  std::size_t limit = 10;
  std::size_t offset = 0;
  bool all = false;
  bool explain = false;
  bool facets = false;
};

void add_papers_options(CLI::App& command, PapersOptions& options);

// In papers_model.cpp: the model that was named, else the one the last import used; nothing when neither is
// there.
Result<std::shared_ptr<papers::Embedder>> load_model(const PapersOptions& options);
void note_model(const PapersOptions& options);  // for the next command

// Papers into the index, with a progress bar.
Result<papers::ImportReport> import_with_progress(const PapersOptions& options,
                                                  std::span<const papers::Paper> papers,
                                                  const std::string& whole_venue,
                                                  std::span<const papers::GivenVector> vectors);
void print_report(const PapersOptions& options, const papers::ImportReport& report);

// In papers_index_command.cpp.
void add_openreview_options(CLI::App& command, papers::OpenReviewSettings& source);
void add_papers_index(CLI::App& parser, Run& run);

}  // namespace alcove::app
