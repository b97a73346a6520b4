// alcove read FILE…: sheets read here and now.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/sheet_json.h"
#include "api/status.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/read_compare.h"
#include "app/reader_options.h"
#include "app/sheet_files.h"
#include "app/text_table.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "imaging/decode_pool.h"
#include "sheets/pipeline.h"
#include "sheets/reasons.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

struct ReadOptions {
  std::vector<std::string> files;
  std::string format = "table";
  std::string password;
  std::optional<int> page;
  std::string compare;  // URL of another server
};

struct ReadFile {
  fs::path path;
  Result<sheets::SheetReading> reading;

  bool needs_attention() const { return !reading || sheets::wants_attention(*reading); }
};

Result<sheets::SheetReading> read_file(sheets::SheetReader& reader, imaging::Decoder& decoder,
                                       const fs::path& path, const sheets::SheetOptions& options) {
  const auto file = TRY(MappedFile::open(path));
  return sheets::read_sheet(reader, decoder, file.bytes(), options);
}

std::string note_on(const ReadFile& file) {
  if (!file.reading && file.reading.error().code == "pdf_encrypted")
    return "pdf_encrypted: this PDF is locked; give its password with --password";
  return file.reading ? fmt::format("{}", fmt::join(file.reading->reasons, ", "))
                      : file.reading.error().message;
}

std::string percent(float share) { return fmt::format("{:.1f} %", 100 * share); }
std::string number(float share) { return fmt::format("{:.4f}", share); }

std::vector<std::string> cells(const ReadFile& file, std::string (*confidence)(float)) {
  std::vector<std::string> row{file.path.string()};
  for (const auto* field : {file.reading ? &file.reading->register_number : nullptr,
                            file.reading ? &file.reading->subject_code : nullptr}) {
    const auto* best = field == nullptr ? nullptr : field->best_candidate();
    row.push_back(best == nullptr ? "" : best->value);
    row.push_back(best == nullptr ? "" : confidence(best->confidence));
  }
  row.push_back(note_on(file));
  return row;
}

void print_table(const std::vector<ReadFile>& files) {
  std::vector<std::vector<std::string>> rows{{"FILE", "REGISTER", "SURE", "SUBJECT", "SURE", "NOTE"}};
  for (const auto& file : files) rows.push_back(cells(file, percent));
  fmt::print("{}", text_table(rows));
}

void print_csv(const std::vector<ReadFile>& files) {
  fmt::print("file,register_number,register_confidence,subject_code,subject_confidence,note\r\n");
  for (const auto& file : files) fmt::print("{}\r\n", csv_row(cells(file, number)));
}

void print_json(const std::vector<ReadFile>& files, const std::vector<sheets::ModelInfo>& models) {
  Json array = Json::array();
  for (const auto& file : files) {
    Json object{{"file", file.path.string()}};
    object.update(file.reading ? api::to_json(*file.reading, models) : api::error_json(file.reading.error()));
    array.push_back(std::move(object));
  }
  fmt::print("{}\n", to_text(array, 2));
}

int read(const ReadOptions& options, const ReaderOptions& reader_options) {
  const auto settings = reader_settings(reader_options);
  if (!settings) return report(settings.error());
  const auto paths = sheet_files(options.files);
  set_log_level(LogLevel::Warning);
  if (paths.empty()) return report({ErrorKind::NotFound, "no sheet to read: the folders named hold none"});
  auto reader = sheets::SheetReader::load(*settings);
  if (!reader) return report(reader.error());

  auto sheet = reader_options.sheet;
  sheet.password = options.password;
  sheet.page = options.page;
  imaging::DecodePool decoder({.workers = 1});
  if (!options.compare.empty())
    return read_and_compare(paths, **reader, decoder, sheet, {options.compare, options.format});

  std::vector<ReadFile> files;
  {
    Progress progress(paths.size(), "sheets");
    for (const auto& path : paths) {
      files.push_back({path, read_file(**reader, decoder, path, sheet)});
      progress.advance();
    }
  }
  if (options.format == "json") {
    print_json(files, (*reader)->models());
  } else if (options.format == "csv") {
    print_csv(files);
  } else {
    print_table(files);
  }
  return std::ranges::any_of(files, &ReadFile::needs_attention) ? kNeedsAttention : kDone;
}

}  // namespace

void add_read(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("read", "Read answer sheets and print what they say");
  command->footer(
      "Exit code: 0 when every field of every sheet was read, 1 when a sheet needs attention; with "
      "--compare, 0 "
      "when both\nagree in every field.");
  auto options = std::make_shared<ReadOptions>();
  command->add_option("FILE", options->files, "sheets, or folders of them")->required();
  command->add_option("--format", options->format, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
  command->add_option("--page", options->page, "page of a PDF or TIFF [the first one with both boxes]")
      ->check(CLI::Range(1, 100'000));
  command->add_option("--compare", options->compare,
                      "URL of another server of the same contract: post it the same files, and show field by "
                      "field what agrees, what differs, and how long each took");
  command->add_option("--password", options->password, "of encrypted PDFs")->envname("ALCOVE_PDF_PASSWORD");
  auto reader_options = add_reader_options(*command);
  command->callback([=, &run] { run = [=] { return read(*options, *reader_options); }; });
}

}  // namespace alcove::app
