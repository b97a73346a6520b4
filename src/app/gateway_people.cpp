// alcove gateway token, account, retention, hold, purge, student: who may, and how long what is kept.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/record_json.h"
#include "app/exit_code.h"
#include "app/gateway_lists.h"
#include "app/gateway_options.h"
#include "app/text_table.h"
#include "base/json.h"
#include "base/zip_writer.h"
#include "gateway/accounts.h"
#include "gateway/archive.h"
#include "gateway/clock.h"
#include "gateway/retention.h"

namespace alcove::app {
namespace {

struct PeopleOptions {
  std::string data = "data", name, role = "staff", rights = "upload", exam, number, reason, out;
  std::int64_t days = 0, release = 0;
  bool remove = false, dry_run = false, link = false;
};

int listed(const Result<std::vector<gateway::Account>>& all, const char* second) {
  if (!all) return report(all.error());
  std::vector<std::vector<std::string>> rows{{"NAME", second}};
  for (const auto& each : *all) rows.push_back({each.name, each.role});
  fmt::print("{}", text_table(rows));
  return kDone;
}

int removed(const Result<bool>& done, const std::string& name) {
  if (!done) return report(done.error());
  if (!*done) return report({ErrorKind::NotFound, fmt::format("there is no \"{}\"", name), {}});
  fmt::print("{} is gone\n", name);
  return kDone;
}

int token(const PeopleOptions& options) {
  const auto book = gateway::AccountBook::open(options.data, database_address());
  if (!book) return report(book.error());
  if (options.name.empty()) return listed((*book)->tokens(), "MAY");
  if (options.remove) return removed((*book)->remove_token(options.name), options.name);
  const auto secret = (*book)->add_token(options.name, options.rights);
  if (!secret) return report(secret.error());
  fmt::print("{}\n", *secret);
  return kDone;
}

int account(const PeopleOptions& options) {
  const auto book = gateway::AccountBook::open(options.data, database_address());
  if (!book) return report(book.error());
  if (options.name.empty()) return listed((*book)->accounts(), "ROLE");
  if (options.remove) return removed((*book)->remove(options.name), options.name);
  if (options.link) {
    const auto word = (*book)->link_word(options.name);
    if (!word) return report(word.error());
    fmt::print("/#password/{}\n", *word);
    return kDone;
  }
  std::string password;
  std::getline(std::cin, password);
  const auto made = (*book)->add(options.name, password, options.role);
  if (!made) return report(made.error());
  fmt::print("{} may sign in as {}\n", options.name, options.role);
  return kDone;
}

int retention(const PeopleOptions& options) {
  auto kept = gateway::Retention::open(options.data, database_address());
  if (!kept) return report(kept.error());
  if (options.days != 0)
    if (const auto set = kept->keep_for({options.exam, options.days}); !set) return report(set.error());
  const auto periods = kept->periods();
  const auto holds = kept->holds();
  if (!periods || !holds) return report(periods ? holds.error() : periods.error());
  std::vector<std::vector<std::string>> rows{{"EXAM", "DAYS"}};
  for (const auto& each : *periods)
    rows.push_back({each.exam_type.empty() ? "every other" : each.exam_type, fmt::format("{}", each.days)});
  fmt::print("{}", text_table(rows));
  for (const auto& each : *holds)
    fmt::print("hold {}: {} {} {}\n", each.number, each.exam_type.empty() ? "every exam" : each.exam_type,
               each.register_number, each.reason);
  return kDone;
}

int hold(const PeopleOptions& options) {
  auto kept = gateway::Retention::open(options.data, database_address());
  if (!kept) return report(kept.error());
  if (options.release != 0)
    return removed(kept->release(options.release), fmt::format("hold {}", options.release));
  const auto number = kept->hold({0, options.exam, options.number, options.reason});
  if (!number) return report(number.error());
  fmt::print("hold {}\n", *number);
  return kDone;
}

int purge(const PeopleOptions& options) {
  auto kept = gateway::Retention::open(options.data, database_address());
  if (!kept) return report(kept.error());
  const auto due = kept->due(gateway::now_ms());
  if (!due) return report(due.error());
  if (options.dry_run) {
    std::vector<std::vector<std::string>> rows{{"RECORD", "EXAM", "HANDED IN", ""}};
    for (const auto& each : *due)
      rows.push_back(
          {each.uuid, each.exam_type, gateway::iso_time(each.accepted_at), each.held ? "held" : "goes"});
    fmt::print("{}", text_table(rows));
    return kDone;
  }
  const auto gone = kept->purge(gateway::now_ms(), "shell");
  if (!gone) return report(gone.error());
  fmt::print("{} sheets purged, {} held\n", *gone, due->size() - *gone);
  return kDone;
}

// Everything there is about one person, for whoever asks what is kept of them.
Result<std::size_t> write_student(const PeopleOptions& options, std::ofstream& file) {
  const auto ledger =
      TRY(gateway::Ledger::open({.data = options.data, .database = database_address(), .read_only = true}));
  std::vector<gateway::Record> records;
  TRY(ledger->each([&](const gateway::Record& record) {
    if (record.register_number == options.number) records.push_back(record);
  }));
  auto book = TRY(gateway::ClassListBook::open(options.data, database_address()));
  const auto lists = TRY(book.lists());
  ZipWriter zip([&](std::string_view piece) {
    return static_cast<bool>(file.write(piece.data(), static_cast<std::streamsize>(piece.size())));
  });
  auto all = Json::array(), entries = Json::array();
  for (const auto& record : records) {
    all.push_back(api::record_json(record));
    if (const auto whole = TRY(ledger->find(record.uuid)))
      all.back()["reply"] = parse_json(whole->reply).value_or(Json(nullptr));
    if (const auto content = ledger->content(record.sha256))
      TRY(zip.add(fmt::format("files/{}", record.uuid), as_bytes(*content)));
  }
  for (const auto& entry : lists.roster)
    if (entry.register_number == options.number)
      entries.push_back({{"register_number", entry.register_number},
                         {"name", entry.name},
                         {"subject_code", entry.subject_code},
                         {"email", entry.email}});
  TRY(zip.add("records.json", as_bytes(to_text(all, 2))));
  TRY(zip.add("class-list.json", as_bytes(to_text(entries, 2))));
  TRY(zip.finish());
  return records.size();
}

int student(const PeopleOptions& options) {
  std::ofstream file(options.out, std::ios::binary);
  if (!file) return report({ErrorKind::BadInput, fmt::format("{} cannot be written", options.out), {}});
  const auto written = write_student(options, file);
  if (!written) return report(written.error());
  fmt::print("{}: {} records of {}\n", options.out, *written, options.number);
  return kDone;
}

}  // namespace

void add_gateway_token(CLI::App& gateway, Run& run) {
  auto* command =
      gateway.add_subcommand("token", "Make a token for a scanner or a program, and print it once");
  auto options = std::make_shared<PeopleOptions>();
  command->add_option("NAME", options->name, "what it is for; without one the tokens are listed");
  command
      ->add_option("--rights", options->rights, "of read, upload, review and administer, with commas between")
      ->capture_default_str();
  command->add_flag("--remove", options->remove, "take it back");
  add_data_option(*command, options->data);
  command->callback([=, &run] { run = [=] { return token(*options); }; });
}

void add_gateway_account(CLI::App& gateway, Run& run) {
  auto* command =
      gateway.add_subcommand("account", "Make a person's account; the password comes from standard input");
  auto options = std::make_shared<PeopleOptions>();
  command->add_option("NAME", options->name, "who; without one the accounts are listed");
  command->add_option("--role", options->role, "viewer, staff or administrator")->capture_default_str();
  command->add_flag("--remove", options->remove, "take it away, and end its sessions");
  command->add_flag(
      "--link", options->link,
      "print the end of a link, to be put behind the gateway's address, with which they choose a "
      "new password; it works once, for 72 hours");
  add_data_option(*command, options->data);
  command->callback([=, &run] { run = [=] { return account(*options); }; });
}

void add_gateway_retention(CLI::App& gateway, Run& run) {
  auto* periods = gateway.add_subcommand("retention", "How long sheets are kept, and what is held beyond");
  auto kept = std::make_shared<PeopleOptions>();
  periods->add_option("EXAM", kept->exam, "the exam type [every other]");
  periods->add_option("--days", kept->days, "set it");
  add_data_option(*periods, kept->data);
  periods->callback([=, &run] { run = [=] { return retention(*kept); }; });

  auto* holding = gateway.add_subcommand("hold", "Keep sheets whatever their age (a legal hold)");
  auto held = std::make_shared<PeopleOptions>();
  holding->add_option("--exam", held->exam, "of this exam type [any]");
  holding->add_option("--number", held->number, "of this register number [any]");
  holding->add_option("--reason", held->reason, "for whoever finds it later");
  holding->add_option("--release", held->release, "end the hold of this number");
  add_data_option(*holding, held->data);
  holding->callback([=, &run] { run = [=] { return hold(*held); }; });

  auto* letting_go =
      gateway.add_subcommand("purge", "Remove pictures and names of sheets whose time is over");
  auto gone = std::make_shared<PeopleOptions>();
  letting_go->add_flag("--dry-run", gone->dry_run, "only list them");
  add_data_option(*letting_go, gone->data);
  letting_go->callback([=, &run] { run = [=] { return purge(*gone); }; });

  auto* one = gateway.add_subcommand("student", "Everything kept about one person, as a ZIP archive");
  auto asked = std::make_shared<PeopleOptions>();
  one->add_option("NUMBER", asked->number, "the register number")->required();
  one->add_option("--out", asked->out, "the archive")->required();
  add_data_option(*one, asked->data);
  one->callback([=, &run] { run = [=] { return student(*asked); }; });
}

}  // namespace alcove::app
