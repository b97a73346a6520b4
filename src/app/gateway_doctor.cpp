#include "app/gateway_doctor.h"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/findings.h"
#include "app/gateway_options.h"
#include "base/log.h"
#include "gateway/clock.h"
#include "gateway/ledger.h"
#include "gateway/schema.h"
#include "gateway/space.h"
#include "sheets/model_folder.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kTooLittle = 100 << 20, kLittle = 1 << 30;  // bytes free on the disk
constexpr std::int64_t kOldestPostgres = 150'000;                   // server_version_num: 15
constexpr std::int64_t kClockSlack = 60'000;                        // milliseconds

struct DoctorOptions {
  std::string data = "data", space_url, space_repository, models = "models", host = "0.0.0.0";
  int hold = 50;
  bool json = false;
};

class Doctor {
 public:
  explicit Doctor(const DoctorOptions& options)
      : options_(options), database_(database_address()), data_(options.data) {}

  int run() {
    look_at_readers();
    if (database_.empty()) {
      look_at_disk();
      look_at_file();
    } else {
      look_at_server();
    }
    look_at_door();
    const auto storage = database_.empty() ? fs::absolute(data_).lexically_normal().string()
                                           : store::without_password(database_);
    return tell(findings_, fmt::format("records: {}\nSpace: {}", storage, space_),
                {{"records", storage}, {"space", space_}}, options_.json);
  }

 private:
  void fault(std::string code, std::string what, std::string fix) {
    findings_.push_back({std::move(code), Severity::Fault, std::move(what), std::move(fix)});
  }
  void notice(std::string code, std::string what, std::string fix) {
    findings_.push_back({std::move(code), Severity::Warning, std::move(what), std::move(fix)});
  }

  void look_at_readers() {
    const auto models = sheets::find_models(options_.models);
    const bool some = models.detector || models.register_reader || models.subject_reader;
    if (some && !models.complete())
      fault("models_incomplete", models.missing_sentence(),
            "put them there, or name another folder with --models");
    if (!options_.space_url.empty()) return look_at_space(models.complete());
    space_ = "none";
    if (models.complete())
      notice("space_not_configured", "HF_SPACE_URL is not configured: every sheet is read on this machine",
             "set HF_SPACE_URL=https://OWNER-NAME.hf.space to have a Space read them");
    else
      fault("no_reader",
            "HF_SPACE_URL is not configured, and there are no models here: nothing can read a sheet",
            "set HF_SPACE_URL=https://OWNER-NAME.hf.space, or name a folder of models with --models");
  }

  // As the gateway itself does it, waking it.
  void look_at_space(bool reads_here) {
    const auto address = gateway::parse_space_address(options_.space_url, options_.space_repository);
    if (!address) {
      space_ = "misconfigured";
      return fault("space_address", address.error().message,
                   "the address of the app is behind the Space's button Embed");
    }
    gateway::Space space(
        {.address = *address, .token = environment("HF_SPACE_TOKEN"), .hub_token = environment("HF_TOKEN")});
    space.wake();
    space.wait_while_waking(std::chrono::seconds(options_.hold), {});
    const auto view = space.view();
    space_ = fmt::format("{} {}", view.url, gateway::name_of(view.state));
    const auto fix = fmt::format("its logs: {}", view.logs);
    switch (view.state) {
      case gateway::SpaceState::Awake: return;
      case gateway::SpaceState::Misconfigured: return fault("space_misconfigured", view.why, fix);
      case gateway::SpaceState::Unreachable:
        return reads_here ? notice("space_unreachable", view.why, "sheets are read here meanwhile; " + fix)
                          : fault("space_unreachable", view.why, fix);
      default:
        return notice("space_wakes", fmt::format("the Space was not awake after {} s", options_.hold),
                      "a Space that sleeps takes a minute or two; look again; " + fix);
    }
  }

  void look_at_disk() {
    notice("files_on_this_disk",
           fmt::format("DATABASE_URL is not set: records and files live on this machine's disk, in {}",
                       fs::absolute(data_).lexically_normal().string()),
           "where disks vanish with a restart or a deploy, set DATABASE_URL to a PostgreSQL server");
    // What is not there yet will be made in what is.
    auto there = fs::absolute(data_).lexically_normal();
    std::error_code ignored;
    while (!fs::exists(there, ignored) && there.has_relative_path()) there = there.parent_path();
    if (::access(there.c_str(), W_OK | X_OK) != 0)
      fault("data_not_writable", fmt::format("{} cannot be written by this user", there.string()),
            "name another folder with --data, or give it to the user the gateway runs as");
    struct statvfs disk{};
    if (::statvfs(there.c_str(), &disk) != 0) return;
    const auto free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    const auto what = fmt::format("{} MB are free on the disk of {}", free >> 20, there.string());
    if (free < kTooLittle)
      fault("disk_full", what, "make room: uploads are refused with 503 when it is full");
    else if (free < kLittle)
      notice("disk_nearly_full", what, "a sheet takes about half a megabyte; make room in time");
  }

  void look_at_file() {
    std::error_code ignored;
    const auto file = (data_ / gateway::kLedgerFile).string();
    if (!fs::exists(file, ignored)) return;
    if (const auto alone = store::Connection::open(file, {.exclusive = true});
        !alone && alone.error().code == "database_in_use")
      notice("gateway_runs", alone.error().message,
             "a second gateway on this folder is refused; several share a queue with DATABASE_URL");
    look_at_records(store::Connection::open(file, {.read_only = true}));
  }

  void look_at_server() {
    auto server = store::Connection::open(database_);
    if (!server)
      return fault("database", server.error().message, "check DATABASE_URL, and that the server runs");
    const auto version = server->first("SELECT current_setting('server_version_num')::bigint");
    if (version && *version && (*version)->integer(0) < kOldestPostgres)
      fault("database_too_old", fmt::format("the server is PostgreSQL {}", (*version)->integer(0) / 10'000),
            "use PostgreSQL 15 or newer");
    look_at_records(std::move(server));
  }

  void look_at_records(Result<store::Connection> records) {
    if (!records)
      return fault("records", records.error().message, "restore a backup: alcove gateway restore");
    const auto missing = store::steps_missing(*records, "gateway", gateway::kSchema);
    if (!missing)
      return fault(missing.error().code.empty() ? "records" : missing.error().code, missing.error().message,
                   "start the program that wrote it, or restore an older backup");
    if (*missing == gateway::kSchema.size()) return;  // nobody was here before
    if (*missing > 0)
      notice("older_schema", "an older program wrote the records",
             "the next start of the gateway brings them up to date");
    const auto last = records->first("SELECT COALESCE(MAX(accepted_at), 0) FROM sheets");
    if (last && *last && (*last)->integer(0) > gateway::now_ms() + kClockSlack)
      notice("clock_went_back",
             fmt::format("the newest sheet is of {}, which is still to come",
                         gateway::iso_time((*last)->integer(0))),
             "set this machine's clock (NTP); nothing is lost, but times in records are not in order");
  }

  void look_at_door() {
    if (environment("ALCOVE_TOKEN").empty() && environment("ALCOVE_TOKEN_FILE").empty())
      notice("no_token",
             "there is no ALCOVE_TOKEN: until there are accounts, whoever reaches the port may send sheets "
             "and read records",
             "set ALCOVE_TOKEN, unless a proxy in front asks who is there");
  }

  const DoctorOptions& options_;
  const std::string database_;
  const fs::path data_;
  std::string space_;
  std::vector<Finding> findings_;
};

}  // namespace

void add_gateway_doctor(CLI::App& gateway, Run& run) {
  auto options = std::make_shared<DoctorOptions>();
  auto* command = gateway.add_subcommand(
      "doctor", "Find what is wrong and say how to mend it; changes nothing; exit code 1 when something is");
  add_data_option(*command, options->data);
  command->add_option("--space-url", options->space_url, "address of the Space that reads sheets")
      ->envname("HF_SPACE_URL");
  command
      ->add_option("--space-repo", options->space_repository,
                   "OWNER/NAME of the Space, for the link to its logs")
      ->envname("HF_SPACE_REPO");
  command->add_option("--models", options->models, "folder of models, for reading here")
      ->envname("ALCOVE_MODELS")
      ->capture_default_str();
  command->add_option("--hold", options->hold, "seconds to wait for a Space that wakes")
      ->envname("ALCOVE_HOLD")
      ->check(CLI::Range(0, 3'600))
      ->capture_default_str();
  command->add_flag("--json", options->json, "as JSON");
  command->callback([=, &run] {
    run = [=] {
      set_log_level(LogLevel::Error);
      return Doctor(*options).run();
    };
  });
}

}  // namespace alcove::app
