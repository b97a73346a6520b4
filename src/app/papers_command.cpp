// alcove papers import · index · search · similar · export · status: the paper finder from the shell.

#include "app/papers_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/papers_output.h"
#include "app/papers_server.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "papers/chroma.h"
#include "papers/export.h"
#include "papers/finder.h"
#include "papers/importer.h"
#include "papers/readers.h"
#include "store/paper_folder.h"

namespace alcove::app {
namespace fs = std::filesystem;

Result<papers::ImportReport> import_with_progress(const PapersOptions& options,
                                                  std::span<const papers::Paper> papers,
                                                  const std::string& whole_venue,
                                                  std::span<const papers::GivenVector> vectors) {
  auto embedder = TRY(load_model(options));
  std::unique_ptr<Progress> progress;
  std::size_t drawn = 0;
  auto report = papers::import_papers({options.index(), embedder.get(), whole_venue, vectors}, papers,
                                      [&](std::size_t done, std::size_t total) {
                                        if (!progress) progress = std::make_unique<Progress>(total, "papers");
                                        for (; drawn < done; ++drawn) progress->advance();
                                        return true;
                                      });
  progress.reset();
  if (report && embedder) note_model(options);
  return report;
}

void print_report(const PapersOptions& options, const papers::ImportReport& report) {
  std::string line = fmt::format("{} papers in {}: {} new, {} changed, {} as they were", report.papers,
                                 options.data, report.added, report.changed, report.unchanged);
  if (report.removed > 0) line += fmt::format(", {} taken out", report.removed);
  if (report.taken_vectors > 0) line += fmt::format("; {} vectors kept", report.taken_vectors);
  if (report.embedded > 0) line += fmt::format("; {} embedded", report.embedded);
  if (report.without_vector > 0)
    line += fmt::format("; {} without a vector are found by words alone, import once more with --model",
                        report.without_vector);
  fmt::print("{}\n", line);
}

namespace {

struct ImportFiles {
  std::vector<std::string> names;
  std::string collection;  // of a Chroma folder
};

// What all the files hold; findings go to standard error.
struct ReadFiles {
  std::vector<papers::Paper> papers;
  std::vector<papers::GivenVector> vectors;
  bool has_findings = false;

  void say(const std::string& file, const std::string& where, const std::string& message) {
    fmt::print(stderr, "{}: {}: {}\n", file, where, message);
    has_findings = true;
  }
};

Result<void> read_file(const std::string& name, const std::string& collection, ReadFiles& all) {
  if (papers::is_chroma_folder(name)) {
    auto read = TRY(papers::read_chroma_papers(name, collection));
    for (const auto& id : read.left_out) all.say(name, id, "no title; left out");
    std::ranges::move(read.papers, std::back_inserter(all.papers));
    std::ranges::move(read.vectors, std::back_inserter(all.vectors));
    return {};
  }
  const auto file = TRY(MappedFile::open(name));
  auto read = TRY(papers::read_papers(as_text(file.bytes()), name));
  for (const auto& finding : read.findings) all.say(name, finding.where, finding.message);
  std::ranges::move(read.papers, std::back_inserter(all.papers));
  return {};
}

int import_files(const PapersOptions& options, const ImportFiles& files) {
  ReadFiles all;
  for (const auto& name : files.names)
    if (const auto read = read_file(name, files.collection, all); !read) return report(read.error());
  const auto done = import_with_progress(options, all.papers, "", all.vectors);
  if (!done) return report(done.error());
  print_report(options, *done);
  return all.has_findings ? kNeedsAttention : kDone;
}

Result<papers::SearchRequest> request_of(const SearchOptions& options) {
  auto query = TRY(papers::read_query(options.query));
  for (const auto& [name, values] : options.filters) {
    const auto field = *papers::field_named(name);
    for (const auto& value : values) {
      papers::Condition condition{.field = field, .value = value};
      if (field == papers::Field::Year) condition = TRY(papers::year_condition(value));
      query.conditions.push_back(std::move(condition));
    }
  }
  return papers::SearchRequest{.query = std::move(query),
                               .like = options.like,
                               .unlike = options.unlike,
                               .mode = *papers::mode_named(options.mode),
                               .weight = options.weight,
                               .limit = options.all ? SIZE_MAX : options.limit,
                               .offset = options.offset,
                               .explain = options.explain,
                               .facet_values = options.facets ? std::size_t{10} : 0};
}

Result<int> search(const SearchOptions& options) {
  const auto request = TRY(request_of(options));
  if (const auto served = ask_server(options)) {
    if (!*served) return std::unexpected(served->error());
    print_result(**served, options.format, request);
    return (*served)->total == 0 ? kNeedsAttention : kDone;
  }
  // Words alone need no model.
  const auto embedder = request.mode == papers::Mode::Words ? nullptr : TRY(load_model(options.papers));
  const auto finder = TRY(papers::Finder::load(options.papers.index(), embedder));
  const auto result = TRY(finder->search(request));
  print_result(result, options.format, request);
  return result.total == 0 ? kNeedsAttention : kDone;
}

int run_search(const SearchOptions& options) {
  set_log_level(LogLevel::Warning);
  const auto code = search(options);
  return code ? *code : report(code.error());
}

int status(const PapersOptions& options) {
  auto index = store::PaperIndex::open(store::PaperFolder(options.index()).current());
  if (!index) return report(index.error());
  const auto finder = papers::Finder::load(options.index(), nullptr);
  if (!finder) return report(finder.error());
  const auto facets = (*finder)->search({.limit = 0, .facet_values = 1'000});
  if (!facets) return report(facets.error());
  const auto& model = (*finder)->model();
  fmt::print("{} papers, {} with a vector\n", (*finder)->size(), (*finder)->vectors());
  if (!model.hash.empty())
    fmt::print("model: {} ({} numbers, {})\n", model.description, model.width, model.hash.substr(0, 12));
  std::error_code unreadable;
  fmt::print(
      "file: {} ({:.1f} MB)\n", store::PaperFolder(options.index()).current().string(),
      static_cast<double>(fs::file_size(store::PaperFolder(options.index()).current(), unreadable)) / 1e6);
  if (store::PaperFolder(options.index()).has_next())
    fmt::print("an import was interrupted or is at work; the same import again goes on from there\n");
  for (const auto& venue : facets->facets.venues) fmt::print("{:>7}  {}\n", venue.count, venue.value);
  return kDone;
}

std::shared_ptr<SearchOptions> add_search_options(CLI::App& command) {
  auto options = std::make_shared<SearchOptions>();
  add_papers_options(command, options->papers);
  command.add_option("-n,--limit", options->limit, "papers to show")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
      ->capture_default_str();
  command.add_option("--offset", options->offset, "papers to skip")
      ->check(CLI::Range(std::size_t{0}, std::size_t{1'000'000'000}));
  command.add_option("--mode", options->mode, "both, meaning or words")
      ->check(CLI::IsMember({"both", "meaning", "words"}))
      ->capture_default_str();
  command.add_option("--weight", options->weight, "of meaning against words, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  for (const auto* field : {"author", "title", "keyword", "venue", "year", "decision", "area"})
    command
        .add_option(fmt::format("--{}", field), options->filters[field],
                    fmt::format("papers of this {} alone; the same as {}: in the query", field, field))
        ->allow_extra_args(false);  // one value each; may be repeated
  command.add_flag("--explain", options->explain, "why each paper was found");
  command.add_flag("--facets", options->facets, "count venues, years, keywords, … of what was found");
  command.add_option("--format", options->format, "table, json, jsonl, csv, bib, ris, csl-json or md")
      ->check(CLI::IsMember({"table", "json", "jsonl", "csv", "bib", "ris", "csl-json", "md"}))
      ->capture_default_str();
  return options;
}

void add_import(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("import", "Put papers from files into the index");
  auto options = std::make_shared<PapersOptions>();
  auto files = std::make_shared<ImportFiles>();
  command
      ->add_option("FILE", files->names,
                   "OpenReview notes, paperlists, JSON, JSONL, CSV, BibTeX, RIS, or a folder of Chroma's")
      ->required();
  command->add_option("--collection", files->collection, "of a Chroma folder [the only one]");
  add_papers_options(*command, *options);
  command->callback([=, &run] { run = [=] { return import_files(*options, *files); }; });
}

void add_search(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("search", "Find papers by words and by meaning");
  command->footer(
      "QUERY may hold author: title: keyword: venue: year:>=2020 decision: area: \"a phrase\" and -without.\n"
      "Exit code: 0 when papers were found, 1 when none was. A paper finder that serves the same --data here "
      "answers in its place, unless --model is given.");
  auto options = add_search_options(*command);
  command->add_option("QUERY", options->query,
                      "words, a question, or a whole abstract; empty: the newest papers");
  command->callback([=, &run] { run = [=] { return run_search(*options); }; });
}

void add_similar(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("similar", "Find papers like one or several others");
  auto options = add_search_options(*command);
  command->add_option("ID", options->like, "papers to resemble")->required();
  command->add_option("--unlike", options->unlike, "a paper to stay away from; may be repeated")
      ->allow_extra_args(false);  // one value each; may be repeated
  command->callback([=, &run] { run = [=] { return run_search(*options); }; });
}

void add_export(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("export", "Print all papers that a query finds, or all there are");
  auto options = add_search_options(*command);
  options->all = true;
  options->mode = "words";
  options->format = "jsonl";
  command->add_option("QUERY", options->query, "as in `search`");
  command->callback([=, &run] { run = [=] { return run_search(*options); }; });
}

void add_status(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("status", "Say what is in the index");
  auto options = std::make_shared<PapersOptions>();
  add_papers_options(*command, *options);
  command->callback([=, &run] { run = [=] { return status(*options); }; });
}

}  // namespace

void add_papers_options(CLI::App& command, PapersOptions& options) {
  command.add_option("--data", options.data, "folder of the index")
      ->envname("ALCOVE_DATA")
      ->capture_default_str();
  command.add_option("--model", options.model, "folder of the model [the one of the last import]")
      ->envname("ALCOVE_MODEL");
  command.add_option("--adapter", options.adapter, "folder of the model's adapter")
      ->envname("ALCOVE_ADAPTER");
  command.add_option("--query-adapter", options.query_adapter, "folder of another adapter for what is typed")
      ->envname("ALCOVE_QUERY_ADAPTER");
  add_engine_options(command, options.engine);
}

void add_papers(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("papers", "Import, index, search and export papers");
  command->require_subcommand(1);
  add_import(*command, run);
  add_papers_index(*command, run);
  add_search(*command, run);
  add_similar(*command, run);
  add_export(*command, run);
  add_status(*command, run);
}

}  // namespace alcove::app
