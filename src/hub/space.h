#pragma once
// A Space: what it is doing, and what its owner may tell it.

#include <map>
#include <vector>

#include "hub/session.h"

namespace alcove::hub {

struct Volume {        // storage that outlives a restart, seen by the application as a folder
  std::string type;    // bucket, model, dataset, space
  std::string source;  // owner/name
  std::string mount_path;
  bool operator==(const Volume&) const = default;
};

// "bucket:owner/name:/data"
Result<Volume> parse_volume(const std::string& text);
std::string text_of(const Volume& volume);

struct Runtime {
  std::string stage;  // RUNNING, BUILDING, …; unknown ones as they come
  std::string hardware, requested_hardware;
  std::optional<long> sleep_seconds;
  std::string error;
  std::vector<std::string> domains;
  std::vector<Volume> volumes;
};

bool is_in_progress(const std::string& stage);  // it will move on by itself
bool is_serving(const std::string& stage);
bool wakes_on_visit(const std::string& stage);

struct SpaceInfo {
  bool is_private = false;
  std::string host;  // https://owner-name.hf.space, as the Hub says or, failing that, as its rule makes it
  std::string commit;
  Runtime runtime;
};

struct Hardware {
  std::string name, title, memory;
  bool gpu = false;
  double dollars_per_hour = 0;
};

struct Setting {
  std::string key, value;
};

struct NewSpace {
  bool is_private = false;
  std::string hardware = "cpu-basic";
  std::vector<Setting> secrets, variables;
  std::vector<Volume> volumes;
};

// The key of a secret or variable: letters, digits and underscores, not beginning with a digit.
Result<void> check_key(const std::string& key);

class Space {
 public:
  Space(const Session& session, Repo repo) : session_(session), repo_(std::move(repo)) {}
  const Repo& repo() const { return repo_; }
  const Session& session() const { return session_; }

  Result<SpaceInfo> info() const;
  Result<Runtime> runtime() const;

  // False when it was there already, which changes nothing.
  Result<bool> create(const NewSpace& made) const;
  Result<void> remove() const;

  Result<void> restart(bool factory) const;
  Result<void> pause() const;
  Result<void> set_sleep(long seconds) const;  // -1: never
  Result<void> set_hardware(const std::string& name) const;

  Result<std::vector<std::string>> secrets() const;  // names; values are never given out
  Result<void> set_secret(const Setting& setting) const;
  Result<void> remove_secret(const std::string& key) const;
  Result<std::map<std::string, std::string>> variables() const;
  Result<void> set_variable(const Setting& setting) const;
  Result<void> remove_variable(const std::string& key) const;
  Result<void> set_volumes(const std::vector<Volume>& volumes) const;  // replaces them; none clears
  Result<void> set_visibility(bool is_private) const;

  static Result<std::vector<Hardware>> hardware(const Session& session);
  // Makes the buckets among the volumes that are not there yet; those of others are left as they are.
  static Result<void> make_buckets(const Session& session, const std::vector<Volume>& volumes);

 private:
  Result<void> change(std::string method, const std::string& action, Json body) const;

  const Session& session_;
  Repo repo_;
};

Runtime runtime_of(const Json& json);
std::string subdomain_of(const Repo& repo);  // of hf.space, as the Hub's examples show it

}  // namespace alcove::hub
