#include "app/gateway_lists.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/office_json.h"
#include "app/exit_code.h"
#include "app/gateway_options.h"
#include "app/text_table.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "base/sha256.h"
#include "gateway/ledger.h"
#include "gateway/matching.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

struct ListsOptions {
  std::string data = "data", file, format = "table";
  bool subjects = false, preview = false;
  std::string uuid, number, subject, who = "shell", known;
};

void print_table(const sheets::Findings& findings) {
  if (findings.list.empty()) return;
  std::vector<std::vector<std::string>> rows{{"LINE", "", "FINDING", "WHAT"}};
  for (const auto& each : findings.list)
    rows.push_back({each.line == 0 ? "file" : fmt::format("{}", each.line),
                    each.severity == sheets::Severity::LeftOut ? "left out" : "note", each.code,
                    each.message});
  fmt::print("{}", text_table(rows));
  if (findings.unlisted > 0) fmt::print("and {} more findings\n", findings.unlisted);
}

// Judges what is recorded already. A gateway that runs has the records to itself and does it within a moment.
Result<std::string> judge_now(const ListsOptions& options) {
  std::error_code none;
  if (database_address().empty() && !fs::exists(fs::path(options.data) / gateway::kLedgerFile, none))
    return "no records yet";
  auto matching = gateway::Matching::open(options.data, database_address(), true);
  if (!matching && matching.error().code == "database_in_use")
    return "the running gateway judges its records by it";
  if (!matching) return std::unexpected(matching.error());
  const auto written = TRY(matching->update_all());
  return fmt::format("{} records judged anew", written);
}

template <class List>
int keep(const ListsOptions& options, Bytes file, const List& list, std::size_t entries) {
  const auto& findings = list.findings;
  std::string said = "preview: nothing was kept";
  std::int64_t version = 0;
  if (!options.preview) {
    auto book = gateway::ClassListBook::open(options.data, database_address());
    if (!book) return report(book.error());
    const auto kept = book->keep(list, fs::path(options.file).filename().string(), sha256_hex(file));
    if (!kept) return report(kept.error());
    version = kept->number;
    const auto judged = judge_now(options);
    if (!judged) return report(judged.error());
    said = fmt::format("{} {}; {}", kept->known ? "already there as version" : "kept as version", version,
                       *judged);
  }
  if (options.format == "json") {
    const auto json = api::import_json(findings, entries, list.encoding, version);
    fmt::print("{}\n", to_text(json, 2));
  } else {
    print_table(findings);
    fmt::print("{} entries, {} lines left out; {}\n", entries, findings.left_out, said);
  }
  return findings.left_out > 0 ? kNeedsAttention : kDone;
}

int import(const ListsOptions& options) {
  const auto file = MappedFile::open(options.file);
  if (!file) return report(file.error());
  if (options.subjects) {
    const auto list = sheets::import_subjects(file->bytes());
    return list ? keep(options, file->bytes(), *list, list->subjects.size()) : report(list.error());
  }
  const auto roster = sheets::import_roster(file->bytes());
  return roster ? keep(options, file->bytes(), *roster, roster->entries.size()) : report(roster.error());
}

int confirm(const ListsOptions& options) {
  gateway::GivenAnswer given{.uuid = options.uuid, .who = options.who, .answer = {}};
  if (options.number == "none") given.ruling = gateway::Ruling::Unlisted;
  if (options.number != "none") {
    given.answer.register_number = sheets::compared_form(options.number);
    if (given.answer.register_number.empty())
      return report({ErrorKind::BadInput, fmt::format("\"{}\" is no register number", options.number), {}});
  }
  {
    const auto ledger =
        gateway::Ledger::open({.data = options.data, .database = database_address(), .read_only = true});
    if (!ledger) return report(ledger.error());
    const auto record = (*ledger)->find(options.uuid);
    if (!record) return report(record.error());
    if (!*record)
      return report({ErrorKind::NotFound, fmt::format("there is no record {}", options.uuid), {}});
    given.answer.subject_code =
        options.subject.empty() ? (*record)->subject_code : sheets::compared_form(options.subject);
  }
  auto book = gateway::ClassListBook::open(options.data, database_address());
  if (!book) return report(book.error());
  if (const auto kept = book->answer(given); !kept) return report(kept.error());
  const auto judged = judge_now(options);
  if (!judged) return report(judged.error());
  fmt::print("confirmed; {}\n", *judged);
  return kDone;
}

// "12:ab34…"
Result<std::optional<store::TrailHead>> known_head(const std::string& text) {
  if (text.empty()) return std::nullopt;
  store::TrailHead head;
  const auto colon = text.find(':');
  const auto* end = text.data() + std::min(colon, text.size());
  if (colon == std::string::npos || std::from_chars(text.data(), end, head.rows).ptr != end)
    return fail(ErrorKind::BadInput, "--known takes ROWS:HASH, as this command prints them");
  head.hash = text.substr(colon + 1);
  return head;
}

int verify(const ListsOptions& options) {
  const auto known = known_head(options.known);
  if (!known) return report(known.error());
  const auto check = gateway::verify_trail(options.data, database_address(), *known);
  if (!check) return report(check.error());
  for (const auto& fault : check->faults) fmt::print("{}\n", fault);
  fmt::print("{} rows, {}; the end is {}:{}\n", check->head.rows,
             check->faults.empty() ? "sound" : "not sound", check->head.rows, check->head.hash);
  return check->faults.empty() ? kDone : kNeedsAttention;
}

}  // namespace

void add_gateway_roster(CLI::App& gateway, Run& run) {
  auto* command = gateway.add_subcommand("roster", "Take in a class list, also while the gateway runs");
  auto options = std::make_shared<ListsOptions>();
  command
      ->add_option("FILE", options->file,
                   "CSV: register_number, name[, subject_code]; or Moodle's grading worksheet")
      ->required();
  add_data_option(*command, options->data);
  command->add_flag("--subjects", options->subjects, "it is a list of subjects: subject_code, title");
  command->add_flag("--preview", options->preview, "only say what would be taken in");
  command->add_option("--format", options->format, "of the findings: table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->footer("Exit code 1: lines were left out; the findings say which and why.");
  command->callback([=, &run] { run = [=] { return import(*options); }; });
}

void add_gateway_confirm(CLI::App& gateway, Run& run) {
  auto* command = gateway.add_subcommand("confirm", "Say whose sheet a record is; the exam is matched again");
  auto options = std::make_shared<ListsOptions>();
  command->add_option("UUID", options->uuid, "the record's artifact_uuid")->required();
  command->add_option("NUMBER", options->number, "the register number; none: on no list")->required();
  command->add_option("--subject", options->subject, "subject code [the record's]");
  command->add_option("--who", options->who, "for the trail")->capture_default_str();
  add_data_option(*command, options->data);
  command->callback([=, &run] { run = [=] { return confirm(*options); }; });
}

void add_gateway_verify_trail(CLI::App& gateway, Run& run) {
  auto* command =
      gateway.add_subcommand("verify-trail", "Find rows of the trail that were changed or taken out");
  auto options = std::make_shared<ListsOptions>();
  add_data_option(*command, options->data);
  command->add_option("--known", options->known, "ROWS:HASH, an end of the trail as it was printed earlier");
  command->callback([=, &run] { run = [=] { return verify(*options); }; });
}

}  // namespace alcove::app
