// alcove space doctor: asks everywhere, then lays the facts before `diagnose`.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/diagnosis.h"
#include "app/exit_code.h"
#include "app/space_commands.h"
#include "app/space_files.h"
#include "app/space_target.h"
#include "hub/fetch.h"
#include "hub/fields.h"
#include "hub/file_hash.h"
#include "hub/folder.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr std::size_t kPointerBytes = 400;  // no pointer is longer, no weights are shorter
constexpr std::size_t kLogLines = 200;
constexpr int kEnvDepth = 3;  // folders below the repository's own that are looked through

struct DoctorOptions {
  std::string space, models, gateway, folder = ".";
  bool json = false, no_wake = false;
};

std::string text_of_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// A small file of the Space, as text; empty when it is not there.
std::string fetch_text(const SpaceTarget& target, const Facts& facts, const std::string& path) {
  const auto known = std::ranges::find(facts.files, path, &hub::RepoFile::path);
  if (known == facts.files.end() || known->size > (1 << 20)) return {};
  return text_in_space(target, facts.info.commit, path);
}

void look_at_account(const SpaceTarget& target, Facts& facts) {
  facts.has_token = !target.session.settings().token.empty();
  if (!facts.has_token) return;
  if (auto account = target.session.whoami())
    facts.account = *std::move(account);
  else
    facts.account_trouble = account.error();
}

void look_at_files(const SpaceTarget& target, Facts& facts) {
  if (auto files = hub::list_files(target.session, target.space.repo(), facts.info.commit))
    facts.files = *std::move(files);
  facts.dockerfile = fetch_text(target, facts, "Dockerfile");
  facts.readme = fetch_text(target, facts, "README.md");
  for (const auto& file : facts.files)
    if (file.sha256.empty() && file.size < kPointerBytes && file.path.starts_with("models/") &&
        fetch_text(target, facts, file.path).starts_with("version https://git-lfs.github.com/spec/"))
      facts.pointers.push_back(file.path);
}

void look_at_logs(const SpaceTarget& target, Facts& facts) {
  const auto& stage = facts.info.runtime.stage;
  const auto tail = [&](hub::LogKind kind) {
    return hub::log_tail(target.space, kind, kLogLines).value_or(std::vector<hub::LogLine>());
  };
  if (stage == "BUILD_ERROR") facts.build_log = tail(hub::LogKind::Build);
  if (hub::is_serving(stage) || stage == "RUNTIME_ERROR") facts.run_log = tail(hub::LogKind::Run);
}

// A visit wakes it; how long that takes is what its users will wait.
void wake(const SpaceTarget& target, Facts& facts) {
  const auto begun = Clock::now();
  (void)target.session.client().send(visit(target, facts.info, "/health"));
  while (Clock::now() - begun < std::chrono::minutes(5)) {
    const auto runtime = target.space.runtime();
    if (!runtime) return;
    facts.info.runtime = *runtime;
    if (!hub::wakes_on_visit(runtime->stage) && !hub::is_in_progress(runtime->stage)) break;
    if (!net::wait_for(seconds(1), {})) return;
  }
  facts.woke_after_seconds = std::chrono::duration<double>(Clock::now() - begun).count();
}

void look_at_answer(const SpaceTarget& target, Facts& facts) {
  if (facts.info.runtime.stage != "RUNNING") return;
  const auto reply = target.session.client().send(visit(target, facts.info, "/health"));
  if (!reply) return;
  facts.app_status = reply->status;
  facts.app_type = reply->header("content-type").value_or("");
}

void look_at_clock(const SpaceTarget& target, Facts& facts) {
  const auto reply = target.session.client().send(target.session.request("HEAD", "/"));
  if (!reply || !reply->header("date")) return;
  std::tm date{};
  if (::strptime(std::string(*reply->header("date")).c_str(), "%a, %d %b %Y %H:%M:%S", &date))
    facts.clock_skew_seconds = static_cast<double>(std::time(nullptr) - ::timegm(&date));
}

Result<void> look_at_local_weights(const std::string& folder, Facts& facts) {
  if (folder.empty()) return {};
  for (const auto& file : TRY(files_of_models(folder))) {
    const auto hash = TRY(hub::hash_file(file.file, hub::Hashes::Sha256));
    facts.local_weights.push_back({file.path, file.size, hash.sha256});
  }
  return {};
}

void look_at_gateway(const SpaceTarget& target, const std::string& url, Facts& facts) {
  if (url.empty()) return;
  const auto reply =
      target.session.client().send({.url = url + "/extract/status", .limits = {.total = seconds(20)}});
  const auto json = reply ? parse_json(reply->body) : std::unexpected(reply.error());
  facts.gateway_mode = json ? hub::text_or(*json, "mode", "unknown") : "unknown";
}

// Files of variables that git knows, wherever they lie; the names of what is in them, never the values.
void look_at_env_files(const std::string& folder, Facts& facts) {
  const auto index = text_of_file(fs::path(folder) / ".git" / "index");
  if (index.empty()) return;
  std::error_code failed;
  auto walk = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, failed);
  for (; !failed && walk != fs::recursive_directory_iterator(); walk.increment(failed)) {
    const auto name = walk->path().filename().string();
    if (walk.depth() >= kEnvDepth || name == ".git" || name == "node_modules")
      walk.disable_recursion_pending();
    if (!name.starts_with(".env") || name == ".env.example") continue;
    const auto path = walk->path().lexically_relative(folder).generic_string();
    // git's index names its files in plain bytes, each with a zero behind it.
    if (index.find(path + '\0') == std::string::npos) continue;
    for (const auto& line : hard_coded(text_of_file(walk->path())))
      facts.env_findings.push_back(fmt::format("{}:{}", path, line));
  }
}

Result<Facts> gather(const DoctorOptions& options, const SpaceTarget& target) {
  Facts facts{.space = options.space};
  facts.space_url = hub::process_environment()("HF_SPACE_URL");
  look_at_env_files(options.folder, facts);
  look_at_account(target, facts);
  auto info = target.space.info();
  if (!info) {
    facts.space_trouble = info.error();
    return facts;
  }
  facts.info = *std::move(info);
  look_at_files(target, facts);
  if (auto hardware = hub::Space::hardware(target.session)) facts.hardware = *std::move(hardware);
  if (auto secrets = target.space.secrets()) facts.secrets = *std::move(secrets);
  if (!options.no_wake && hub::wakes_on_visit(facts.info.runtime.stage)) wake(target, facts);
  look_at_logs(target, facts);
  look_at_answer(target, facts);
  look_at_clock(target, facts);
  look_at_gateway(target, options.gateway, facts);
  TRY(look_at_local_weights(options.models, facts));
  return facts;
}

Result<int> doctor(const DoctorOptions& options) {
  const auto target = TRY(open_space(options.space));
  const auto facts = TRY(gather(options, *target));
  const auto& stage = facts.info.runtime.stage;
  return tell(diagnose(facts), fmt::format("{}  {}  {}", facts.space, stage, facts.info.host),
              {{"space", facts.space}, {"stage", stage}, {"url", facts.info.host}}, options.json);
}

}  // namespace

void add_space_doctor(CLI::App& command, Run& run) {
  auto options = std::make_shared<DoctorOptions>();
  auto* sub = command.add_subcommand(
      "doctor", "Find what is wrong and say how to mend it; exit code 1 when something is");
  sub->add_option("SPACE", options->space, "OWNER/NAME")->required();
  sub->add_option("--models", options->models, "folder of the weights as they should be");
  sub->add_option("--gateway", options->gateway,
                  "address of the gateway in front, to see whether it uses the Space");
  sub->add_option("--folder", options->folder, "the repository here, for settings that should not be in it")
      ->capture_default_str();
  sub->add_flag("--no-wake", options->no_wake, "leave it asleep");
  sub->add_flag("--json", options->json, "as JSON");
  sub->callback([=, &run] {
    run = [=] {
      const auto done = doctor(*options);
      return done ? *done : report(done.error());
    };
  });
}

}  // namespace alcove::app
