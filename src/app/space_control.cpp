// alcove space status · watch · logs · restart · pause · wake · hardware · delete
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/diagnosis.h"
#include "app/exit_code.h"
#include "app/space_commands.h"
#include "app/space_target.h"
#include "app/space_watch.h"
#include "app/text_table.h"

namespace alcove::app {
namespace {

struct ControlOptions {
  std::string space;
  bool json = false, follow = false, build = false, factory = false, yes = false, dry_run = false;
  std::string hardware, sleep;
  int timeout_minutes = 30;
};

Json describe(const hub::SpaceInfo& info) {
  auto volumes = Json::array();
  for (const auto& volume : info.runtime.volumes) volumes.push_back(hub::text_of(volume));
  Json out{
      {"stage", info.runtime.stage},
      {"url", info.host},
      {"visibility", info.is_private ? "private" : "public"},
      {"hardware", info.runtime.hardware.empty() ? info.runtime.requested_hardware : info.runtime.hardware},
      {"sleeps_after_seconds", info.runtime.sleep_seconds ? Json(*info.runtime.sleep_seconds) : Json()},
      {"volumes", std::move(volumes)},
      {"commit", info.commit}};
  if (!info.runtime.error.empty()) out["error"] = info.runtime.error;
  return out;
}

Result<int> status(const ControlOptions& options) {
  const auto target = TRY(open_space(options.space));
  const auto info = TRY(target->space.info());
  const auto description = describe(info);
  if (options.json) {
    fmt::print("{}\n", to_text(description, 2));
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, value] : description.items())
      if (!value.is_null() && !(value.is_array() && value.empty()))
        rows.push_back({name, value.is_string() ? value.get<std::string>() : to_text(value)});
    fmt::print("{}", text_table(rows));
  }
  return hub::is_serving(info.runtime.stage) ? kDone : kNeedsAttention;
}

Result<int> watch_space(const ControlOptions& options) {
  const auto target = TRY(open_space(options.space));
  TRY(watch(target->space, {.patience = std::chrono::minutes(options.timeout_minutes)}));
  fmt::print("{}\n", TRY(target->space.info()).host);
  return kDone;
}

Result<int> logs(const ControlOptions& options) {
  const auto target = TRY(open_space(options.space));
  const auto kind = options.build ? hub::LogKind::Build : hub::LogKind::Run;
  TRY(hub::read_log(target->space, kind, {.follow = options.follow},
                    [](const hub::LogLine& line) -> Result<void> {
                      fmt::print("{}  {}\n", line.time, line.text);
                      std::fflush(stdout);
                      return {};
                    }));
  return kDone;
}

void rehearse(SpaceTarget& target, bool dry_run) {
  if (dry_run) target.session.rehearse([](const std::string& line) { fmt::print("{}\n", line); });
}

Result<int> restart(const ControlOptions& options) {
  const auto target = TRY(open_space(options.space));
  rehearse(*target, options.dry_run);
  TRY(target->space.restart(options.factory));
  if (!options.dry_run) TRY(watch(target->space, {.just_pushed = true}));
  return kDone;
}

Result<int> pause(const ControlOptions& options) {
  const auto target = TRY(open_space(options.space));
  rehearse(*target, options.dry_run);
  TRY(target->space.pause());
  if (options.dry_run) return kDone;
  fmt::print(stderr, "{} is paused and costs nothing; `alcove space restart {}` starts it\n", options.space,
             options.space);
  return kDone;
}

Result<int> wake(const ControlOptions& options) {
  const auto target = TRY(open_space(options.space));
  const auto info = TRY(target->space.info());
  if (hub::is_serving(info.runtime.stage)) {
    fmt::print("{} is awake\n", options.space);
    return kDone;
  }
  if (!hub::wakes_on_visit(info.runtime.stage) && !hub::is_in_progress(info.runtime.stage))
    return std::unexpected(why_not_running(target->space, info.runtime));
  const auto begun = std::chrono::steady_clock::now();
  (void)target->session.client().send(visit(*target, info, "/"));  // whatever it answers, it was a visit
  for (auto stage = info.runtime.stage; hub::wakes_on_visit(stage);) {
    if (std::chrono::steady_clock::now() - begun > std::chrono::minutes(2))
      return fail(ErrorKind::Unavailable,
                  fmt::format("{} did not wake from a visit; restart it", options.space));
    if (!net::wait_for(std::chrono::seconds(1), {})) break;
    stage = TRY(target->space.runtime()).stage;
  }
  TRY(watch(target->space, {.logs = false}));
  fmt::print("{} is awake after {:.1f} s\n", options.space,
             std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  return kDone;
}

void print_hardware(const std::vector<hub::Hardware>& listed) {
  std::vector<std::vector<std::string>> rows{{"NAME", "WHAT", "MEMORY", "PER HOUR"}};
  for (const auto& one : listed)
    rows.push_back({one.name, one.title, one.memory,
                    one.dollars_per_hour > 0 ? fmt::format("${:.2f}", one.dollars_per_hour) : "free"});
  fmt::print("{}", text_table(rows));
}

// A flavour that is paid for and not used, or a build that finds nothing to run on.
void warn_of_mismatch(const SpaceTarget& target, const hub::Hardware& chosen) {
  const auto dockerfile = text_in_space(target, "main", "Dockerfile");
  if (dockerfile.empty() || uses_gpu(dockerfile) == chosen.gpu) return;
  if (chosen.gpu)
    fmt::print(stderr,
               "{} costs ${:.2f} per hour and this Space's build uses no GPU; `alcove space new` with "
               "--hardware {} sends one that does\n",
               chosen.name, chosen.dollars_per_hour, chosen.name);
  else
    fmt::print(
        stderr,
        "this Space's build is for a GPU and {} has none: it reads on the CPU; `alcove space new` with "
        "--hardware {} sends a smaller one\n",
        chosen.name, chosen.name);
}

Result<int> hardware(const ControlOptions& options) {
  const auto target = TRY(open_space(options.space));
  rehearse(*target, options.dry_run);
  const auto listed = TRY(hub::Space::hardware(target->session));
  if (options.hardware.empty() && options.sleep.empty()) {
    print_hardware(listed);
    return kDone;
  }
  if (!options.hardware.empty()) {
    const auto chosen = std::ranges::find(listed, options.hardware, &hub::Hardware::name);
    if (chosen == listed.end())
      return fail(ErrorKind::BadInput,
                  fmt::format("there is no hardware {:?}; `alcove space hardware {}` lists it",
                              options.hardware, options.space));
    const auto now = TRY(target->space.runtime());
    const bool moves = now.requested_hardware != options.hardware;
    if (moves) TRY(target->space.set_hardware(options.hardware));
    if (!options.dry_run)
      fmt::print(stderr, "{} {} {}\n", options.space, moves ? "restarts on" : "is already on",
                 options.hardware);
    warn_of_mismatch(*target, *chosen);
  }
  if (!options.sleep.empty()) {
    const bool never = options.sleep == "never";
    const auto seconds = never ? -1 : std::strtol(options.sleep.c_str(), nullptr, 10);
    if (!never && seconds < 60)
      return fail(ErrorKind::BadInput, "--sleep takes seconds, 60 or more, or `never`");
    TRY(target->space.set_sleep(seconds));
    if (options.dry_run) return kDone;
    fmt::print(stderr, "{} {}\n", options.space,
               never ? "never sleeps" : fmt::format("sleeps after {} s without visits", seconds));
  }
  return kDone;
}

Result<int> remove(const ControlOptions& options) {
  const auto target = TRY(open_space(options.space));
  rehearse(*target, options.dry_run);
  TRY(target->space.info());  // says what is wrong with the name before anybody confirms it
  const auto answer = options.yes || options.dry_run
                          ? options.space
                          : ask(fmt::format("Type {} to delete it with everything in it", options.space), "");
  if (answer != options.space)
    return fail(ErrorKind::BadInput,
                fmt::format("{} was not deleted: the name was not given once more (--yes leaves "
                            "the question out)",
                            options.space));
  TRY(target->space.remove());
  if (options.dry_run) return kDone;
  fmt::print(stderr, "{} is deleted\n", options.space);
  return kDone;
}

int finish(const Result<int>& done) { return done ? *done : report(done.error()); }

}  // namespace

void add_space_control(CLI::App& command, Run& run) {
  auto options = std::make_shared<ControlOptions>();
  const auto add = [&](const char* name, const char* text, Result<int> (*function)(const ControlOptions&)) {
    auto* sub = command.add_subcommand(name, text);
    sub->add_option("SPACE", options->space, "OWNER/NAME")->required();
    sub->callback([=, &run] { run = [=] { return finish(function(*options)); }; });
    return sub;
  };
  const auto dry = [&](CLI::App* sub) {
    sub->add_flag("--dry-run", options->dry_run, "show the requests, secrets masked, and send none");
  };
  add("status", "Stage, address, hardware, volumes; exit code 1 when it does not serve", status)
      ->add_flag("--json", options->json, "as JSON");
  add("watch", "Stages and logs until it runs, or the step that failed", watch_space)
      ->add_option("--timeout", options->timeout_minutes, "minutes")
      ->capture_default_str();
  auto* log = add("logs", "What it wrote while running, or while it was built", logs);
  log->add_flag("--build", options->build, "the build's log");
  log->add_flag("-f,--follow", options->follow, "go on as it is written");
  auto* restarting = add("restart", "Start it anew, and watch", restart);
  restarting->add_flag("--factory", options->factory, "build it anew as well, without the cache");
  dry(restarting);
  dry(add("pause", "Stop it until it is restarted; nothing is billed", pause));
  add("wake", "Visit it until it is awake, and say how long that took", wake);
  auto* hard = add("hardware", "List what there is, or move to another", hardware);
  hard->add_option("NAME", options->hardware, "such as cpu-upgrade");
  hard->add_option("--sleep", options->sleep, "seconds without visits after which it sleeps, or never");
  dry(hard);
  auto* removing = add("delete", "Delete it; asks for its name", remove);
  removing->add_flag("--yes", options->yes, "do not ask");
  dry(removing);
}

}  // namespace alcove::app
