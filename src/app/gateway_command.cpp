// alcove gateway, and alcove worker beside it: sheets taken in, read by the Space or here, recorded once.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "api/record_json.h"
#include "api/record_table.h"
#include "api/serve_gateway.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/gateway_doctor.h"
#include "app/gateway_lists.h"
#include "app/gateway_options.h"
#include "app/reader_options.h"
#include "app/server_options.h"
#include "base/json.h"
#include "gateway/backup.h"

namespace alcove::app {
namespace {

struct GatewayOptions {
  ServerOptions serving;
  api::GatewayProcess process;
  std::string policy = "remote-first";
  std::string data = "data";
  std::string format = "jsonl";
  int hold = 50, lease = 60, purge_every = 0;
};

Result<api::GatewayProcess> settings_of(GatewayOptions options, const ReaderOptions& reader) {
  TRY(settle(options.serving));
  auto& process = options.process;
  process.server = options.serving.server;
  process.door = options.serving.door;
  process.reader = TRY(reader_settings(reader));
  process.sheet = reader.sheet;
  process.idle_exit = std::chrono::seconds(options.serving.idle_exit);
  process.readers.policy = TRY(gateway::parse_policy(options.policy));
  process.readers.hold = std::chrono::seconds(options.hold);
  process.ledger.lease_ms = 1000 * options.lease;
  process.purge_every = std::chrono::seconds(options.purge_every);
  process.ledger.data = options.data;
  process.ledger.database = database_address();
  process.space_token = environment("HF_SPACE_TOKEN");
  process.hub_token = environment("HF_TOKEN");
  return process;
}

int serve(const GatewayOptions& options, const ReaderOptions& reader) {
  const auto process = settings_of(options, reader);
  if (!process) return report(process.error());
  const auto served = api::serve_gateway(*process);
  return served ? kDone : report(served.error());
}

int work(const GatewayOptions& options, const ReaderOptions& reader) {
  const auto process = settings_of(options, reader);
  if (!process) return report(process.error());
  const auto worked = api::run_worker(*process);
  return worked ? kDone : report(worked.error());
}

int export_records(const GatewayOptions& options) {
  const auto ledger =
      gateway::Ledger::open({.data = options.data, .database = database_address(), .read_only = true});
  if (!ledger) return report(ledger.error());
  const bool csv = options.format == "csv";
  if (csv) fmt::print("{}", api::csv_heading());
  const auto done = (*ledger)->each([&](const gateway::Record& record) {
    fmt::print("{}", csv ? api::csv_line(record) : to_text(api::record_json(record)) + '\n');
  });
  return done ? kDone : report(done.error());
}

int copy(const std::string& from, const std::string& to, bool back) {
  if (!database_address().empty())
    return report({ErrorKind::Unsupported,
                   "records and files are in PostgreSQL: copy that with pg_dump and pg_restore",
                   {}});
  const auto size = back ? gateway::restore(from, to) : gateway::back_up(from, to);
  if (!size) return report(size.error());
  fmt::print("{}: the records and {} files\n", to, size->files);
  return kDone;
}

void add_readers(CLI::App& command, GatewayOptions& options) {
  auto& process = options.process;
  add_data_option(command, options.data)
      ->description("folder for records and files; made if it is not there");
  command.add_option("--space-url", process.space_url, "address of the Space that reads sheets")
      ->envname("HF_SPACE_URL");
  command
      .add_option("--space-repo", process.space_repository,
                  "OWNER/NAME of the Space, for the link to its logs [taken from its address]")
      ->envname("HF_SPACE_REPO");
  command.add_option("--policy", options.policy, "remote-first, fastest, local-first or remote-only")
      ->envname("ALCOVE_POLICY")
      ->check(CLI::IsMember({"remote-first", "fastest", "local-first", "remote-only"}))
      ->capture_default_str();
  command
      .add_option("--hold", options.hold,
                  "seconds a sheet and its caller wait for a Space that wakes, before it is read here")
      ->envname("ALCOVE_HOLD")
      ->check(CLI::Range(0, 3'600))
      ->capture_default_str();
  command.add_option("--under-way", process.workers, "sheets under way at once, wherever they are read")
      ->envname("ALCOVE_UNDER_WAY")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command.add_option("--workers", process.workers_here, "sheets read here at once")
      ->envname("ALCOVE_WORKERS")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command
      .add_option("--attempts", process.ledger.attempts_allowed,
                  "attempts a student has at one exam; what is beyond is flagged as a duplicate")
      ->envname("ALCOVE_ATTEMPTS")
      ->check(CLI::Range(1, 2))
      ->capture_default_str();
  command
      .add_option("--lease", options.lease,
                  "seconds without a sign of life after which a reader of a shared queue is taken for dead")
      ->envname("ALCOVE_LEASE")
      ->check(CLI::Range(1, 3'600))
      ->capture_default_str();
  command.footer(
      "From the environment: DATABASE_URL (postgres://…; without it records live in SQLite in the data "
      "folder), "
      "HF_SPACE_TOKEN\n(the Space's ALCOVE_TOKEN), HF_TOKEN (for a private Space), ALCOVE_TOKEN (what "
      "callers of this "
      "program present).");
}

void add_export(CLI::App& command, Run& run) {
  auto* parser = command.add_subcommand("export", "Print a row for each record, also while the gateway runs");
  auto options = std::make_shared<GatewayOptions>();
  add_data_option(*parser, options->data);
  parser->add_option("--format", options->format, "jsonl or csv")
      ->check(CLI::IsMember({"jsonl", "csv"}))
      ->capture_default_str();
  parser->callback([=, &run] { run = [=] { return export_records(*options); }; });
}

void add_copies(CLI::App& command, Run& run) {
  auto options = std::make_shared<GatewayOptions>();
  auto folder = std::make_shared<std::string>();
  auto* backup = command.add_subcommand(
      "backup", "Copy records and files into a new folder, also while the gateway runs");
  auto* restore = command.add_subcommand("restore", "Make a data folder of a backup");
  for (auto* parser : {backup, restore}) {
    parser->add_option("FOLDER", *folder, "the backup")->required();
    add_data_option(*parser, options->data);
  }
  backup->callback([=, &run] { run = [=] { return copy(options->data, *folder, false); }; });
  restore->callback([=, &run] { run = [=] { return copy(*folder, options->data, true); }; });
}

}  // namespace

void add_gateway(CLI::App& parser, Run& run) {
  auto* command =
      parser.add_subcommand("gateway", "Take sheets in, have them read by a Space or here, record each once");
  auto options = std::make_shared<GatewayOptions>();
  auto& server = options->serving.server;
  server.port = 8000;
  // Bodies go to the disk one after the other: little memory serves many.
  server.upload_memory = 96 << 20;
  options->serving.door.log_probes = true;
  add_server_options(*command, options->serving);
  command
      ->add_flag("--require-account", options->process.require_account,
                 "nobody comes in unnamed, not even before the first account is made")
      ->envname("ALCOVE_REQUIRE_ACCOUNT");
  command
      ->add_option(
          "--purge-every", options->purge_every,
          "seconds between purges of what is kept long enough (see `gateway retention`); 86400 is daily, "
          "0 never")
      ->envname("ALCOVE_PURGE_EVERY")
      ->check(CLI::Range(0, 365 * 86'400))
      ->capture_default_str();
  add_readers(*command, *options);
  auto reader = add_reader_options(*command);
  add_export(*command, run);
  add_gateway_roster(*command, run);
  add_gateway_confirm(*command, run);
  add_gateway_verify_trail(*command, run);
  add_gateway_token(*command, run);
  add_gateway_account(*command, run);
  add_gateway_retention(*command, run);
  add_copies(*command, run);
  add_gateway_doctor(*command, run);
  command->callback([=, &run] {
    if (command->get_subcommands().empty()) run = [=] { return serve(*options, *reader); };
  });
}

void add_worker(CLI::App& parser, Run& run) {
  auto* command = parser.add_subcommand("worker", "Read sheets for gateways that share DATABASE_URL");
  auto options = std::make_shared<GatewayOptions>();
  add_log_option(*command, options->serving.log);
  add_readers(*command, *options);
  auto reader = add_reader_options(*command);
  command->callback([=, &run] { run = [=] { return work(*options, *reader); }; });
}

}  // namespace alcove::app
