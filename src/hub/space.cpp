#include "hub/space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "hub/fields.h"

namespace alcove::hub {
namespace {

Json json_of(const Volume& volume) {
  return {{"type", volume.type}, {"source", volume.source}, {"mountPath", volume.mount_path}};
}

Json json_of(const std::vector<Volume>& volumes) {
  auto listed = Json::array();
  for (const auto& volume : volumes) listed.push_back(json_of(volume));
  return listed;
}

Json json_of(const std::vector<Setting>& settings) {
  auto listed = Json::array();
  for (const auto& setting : settings) listed.push_back({{"key", setting.key}, {"value", setting.value}});
  return listed;
}

}  // namespace

Result<Volume> parse_volume(const std::string& text) {
  const auto first = text.find(':'), second = text.find(':', first == std::string::npos ? first : first + 1);
  const auto bad = [&] {
    return fail(
        ErrorKind::BadInput,
        fmt::format("{:?} is no volume; it is written bucket:OWNER/NAME:/data (or model:, dataset:, space:)",
                    text));
  };
  if (second == std::string::npos) return bad();
  Volume volume{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
  constexpr std::string_view kTypes[] = {"bucket", "model", "dataset", "space"};
  if (std::ranges::find(kTypes, volume.type) == std::end(kTypes) || !volume.mount_path.starts_with('/') ||
      !parse_repo(volume.source, RepoKind::Space))
    return bad();
  return volume;
}

std::string text_of(const Volume& volume) {
  return fmt::format("{}:{}:{}", volume.type, volume.source, volume.mount_path);
}

bool is_in_progress(const std::string& stage) {
  return stage == "BUILDING" || stage == "APP_STARTING" || stage == "RUNNING_BUILDING" ||
         stage == "RUNNING_APP_STARTING";
}
bool is_serving(const std::string& stage) { return stage.starts_with("RUNNING"); }
bool wakes_on_visit(const std::string& stage) { return stage == "SLEEPING" || stage == "STOPPED"; }

Runtime runtime_of(const Json& json) {
  Runtime runtime{.stage = text_or(json, "stage", "UNKNOWN"),
                  .hardware = text_or(member(json, "hardware"), "current"),
                  .requested_hardware = text_or(member(json, "hardware"), "requested"),
                  .error = text_or(json, "errorMessage")};
  if (const auto& sleep = member(json, "gcTimeout"); sleep.is_number())
    runtime.sleep_seconds = sleep.get<long>();
  for (const auto& domain : member(json, "domains")) runtime.domains.push_back(text_or(domain, "domain"));
  for (const auto& volume : member(json, "volumes"))
    runtime.volumes.push_back(
        {text_or(volume, "type"), text_or(volume, "source"), text_or(volume, "mountPath")});
  return runtime;
}

std::string subdomain_of(const Repo& repo) {
  std::string name;
  for (const char c : repo.id) {
    const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool plain = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (plain)
      name += lower;
    else if (!name.ends_with('-'))
      name += '-';
  }
  return name;
}

Result<void> check_key(const std::string& key) {
  const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  if (key.empty() || key.size() > 256 || std::isdigit(static_cast<unsigned char>(key.front())) != 0 ||
      !std::ranges::all_of(key, fits))
    return fail(
        ErrorKind::BadInput,
        fmt::format("{:?} cannot be the name of a secret or variable: letters, digits and _ are allowed, and "
                    "no digit first",
                    key.substr(0, 100)));
  return {};
}

Result<SpaceInfo> Space::info() const {
  const auto json = TRY(session_.get_json(repo_.api_path(), session_.about(repo_)));
  SpaceInfo info{.is_private = flag_or(json, "private", false),
                 .host = text_or(json, "host"),
                 .commit = text_or(json, "sha"),
                 .runtime = runtime_of(member(json, "runtime"))};
  if (info.host.empty() && !info.runtime.domains.empty())
    info.host = "https://" + info.runtime.domains.front();
  if (info.host.empty()) info.host = fmt::format("https://{}.hf.space", subdomain_of(repo_));
  return info;
}

Result<Runtime> Space::runtime() const {
  return runtime_of(TRY(session_.get_json(repo_.api_path() + "/runtime", session_.about(repo_))));
}

Result<bool> Space::create(const NewSpace& made) const {
  Json body{{"name", repo_.name()},
            {"organization", repo_.owner()},
            {"type", "space"},
            {"sdk", "docker"},
            {"visibility", made.is_private ? "private" : "public"},
            {"hardware", made.hardware}};
  if (!made.secrets.empty()) body["secrets"] = json_of(made.secrets);
  if (!made.variables.empty()) body["variables"] = json_of(made.variables);
  if (!made.volumes.empty()) body["volumes"] = json_of(made.volumes);
  const auto done = session_.send({"POST", "/api/repos/create", std::move(body)}, session_.about(repo_));
  if (done) return true;
  if (done.error().code == "conflict") return false;
  return std::unexpected(done.error());
}

Result<void> Space::remove() const {
  const Json body{{"name", repo_.name()}, {"organization", repo_.owner()}, {"type", "space"}};
  TRY(session_.send({"DELETE", "/api/repos/delete", body}, session_.about(repo_)));
  return {};
}

Result<void> Space::change(std::string method, const std::string& action, Json body) const {
  TRY(session_.send({std::move(method), repo_.api_path() + action, std::move(body)}, session_.about(repo_)));
  return {};
}

Result<void> Space::restart(bool factory) const {
  return change("POST", factory ? "/restart?factory=true" : "/restart", nullptr);
}
Result<void> Space::pause() const { return change("POST", "/pause", nullptr); }
Result<void> Space::set_sleep(long seconds) const {
  return change("POST", "/sleeptime", {{"seconds", seconds}});
}
Result<void> Space::set_hardware(const std::string& name) const {
  return change("POST", "/hardware", {{"flavor", name}});
}

Result<std::vector<std::string>> Space::secrets() const {
  const auto json = TRY(session_.get_json(repo_.api_path() + "/secrets", session_.about(repo_)));
  std::vector<std::string> names;
  if (json.is_object())
    for (const auto& [name, _] : json.items()) names.push_back(name);
  return names;
}

Result<void> Space::set_secret(const Setting& setting) const {
  TRY(check_key(setting.key));
  return change("POST", "/secrets", {{"key", setting.key}, {"value", setting.value}});
}
Result<void> Space::remove_secret(const std::string& key) const {
  TRY(check_key(key));
  return change("DELETE", "/secrets", {{"key", key}});
}

Result<std::map<std::string, std::string>> Space::variables() const {
  const auto json = TRY(session_.get_json(repo_.api_path() + "/variables", session_.about(repo_)));
  std::map<std::string, std::string> variables;
  if (json.is_object())
    for (const auto& [name, entry] : json.items()) variables[name] = text_or(entry, "value");
  return variables;
}

Result<void> Space::set_variable(const Setting& setting) const {
  TRY(check_key(setting.key));
  return change("POST", "/variables", {{"key", setting.key}, {"value", setting.value}});
}
Result<void> Space::remove_variable(const std::string& key) const {
  TRY(check_key(key));
  return change("DELETE", "/variables", {{"key", key}});
}

Result<void> Space::set_volumes(const std::vector<Volume>& volumes) const {
  if (volumes.empty()) return change("DELETE", "/volumes", nullptr);
  return change("PUT", "/volumes", {{"volumes", json_of(volumes)}});
}

Result<void> Space::set_visibility(bool is_private) const {
  return change("PUT", "/settings", {{"visibility", is_private ? "private" : "public"}});
}

Result<void> Space::make_buckets(const Session& session, const std::vector<Volume>& volumes) {
  for (const auto& volume : volumes) {
    if (volume.type != "bucket") continue;
    const auto about = session.about("the bucket " + volume.source);
    if (session.get("/api/buckets/" + volume.source, about)) continue;
    const auto made = session.send({"POST", "/api/buckets/" + volume.source, {{"visibility", "private"}}},
                                   about, Session::Repeat::Yes);
    if (!made && made.error().code != "conflict") return std::unexpected(made.error());
  }
  return {};
}

Result<std::vector<Hardware>> Space::hardware(const Session& session) {
  std::vector<Hardware> listed;
  for (const auto& entry :
       TRY(session.get_json("/api/spaces/hardware", session.about("the list of hardware"))))
    listed.push_back({.name = text_or(entry, "name"),
                      .title = text_or(entry, "prettyName"),
                      .memory = text_or(entry, "ram"),
                      .gpu = member(entry, "accelerator").is_object(),
                      .dollars_per_hour = number_or(entry, "unitCostUSD", 0)});
  return listed;
}

}  // namespace alcove::hub
