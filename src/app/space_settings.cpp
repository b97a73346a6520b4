// alcove space secret · variable · volume
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/exit_code.h"
#include "app/space_commands.h"
#include "app/space_target.h"

namespace alcove::app {
namespace {

struct SettingOptions {
  std::string space, action = "list";
  std::vector<std::string> words;
  bool dry_run = false;
};

Result<std::unique_ptr<SpaceTarget>> open(const SettingOptions& options) {
  auto target = TRY(open_space(options.space));
  if (options.dry_run) target->session.rehearse([](const std::string& line) { fmt::print("{}\n", line); });
  return target;
}

// What became of one setting; a rehearsal has shown its request instead.
void tell(const SettingOptions& options, const std::string& what, const char* outcome) {
  if (!options.dry_run) fmt::print(stderr, "{} {}\n", what, outcome);
}

constexpr const char* kSet = "is set; the Space restarts";
constexpr const char* kRemoved = "is removed; the Space restarts";
constexpr const char* kUnchanged = "is as it was; nothing restarts";

Result<void> secret(const SettingOptions& options) {
  const auto target = TRY(open(options));
  if (options.action == "list")
    for (const auto& name : TRY(target->space.secrets())) fmt::print("{}\n", name);
  for (const auto& word : options.words) {
    if (options.action == "set") {
      const auto setting = TRY(secret_from_outside(word));
      TRY(target->space.set_secret(setting));
      tell(options, word, kSet);
    }
    if (options.action == "remove") {
      TRY(target->space.remove_secret(word));
      tell(options, word, kRemoved);
    }
  }
  return {};
}

Result<void> variable(const SettingOptions& options) {
  const auto target = TRY(open(options));
  const auto now = TRY(target->space.variables());
  if (options.action == "list")
    for (const auto& [name, value] : now) fmt::print("{}={}\n", name, value);
  for (const auto& word : options.words) {
    if (options.action == "remove") {
      if (now.contains(word)) TRY(target->space.remove_variable(word));
      tell(options, word, now.contains(word) ? kRemoved : "is not there");
    } else if (options.action == "set") {
      const auto setting = TRY(variable_of(word));
      const auto found = now.find(setting.key);
      // Each change restarts the Space: what is as it should be is left alone.
      const bool differs = found == now.end() || found->second != setting.value;
      if (differs) TRY(target->space.set_variable(setting));
      tell(options, setting.key, differs ? kSet : kUnchanged);
    }
  }
  return {};
}

Result<void> volume(const SettingOptions& options) {
  const auto target = TRY(open(options));
  const auto now = TRY(target->space.runtime()).volumes;
  std::vector<hub::Volume> wanted;
  for (const auto& word : options.words) wanted.push_back(TRY(hub::parse_volume(word)));
  if (options.action == "list")
    for (const auto& one : now) fmt::print("{}\n", hub::text_of(one));
  const bool change = options.action == "set" || (options.action == "remove" && !now.empty());
  if (options.action == "remove") wanted.clear();
  const bool differs = change && wanted != now;
  if (differs) TRY(hub::Space::make_buckets(target->session, wanted));
  if (differs) TRY(target->space.set_volumes(wanted));
  if (options.action != "list")
    tell(options, count_text(wanted.size(), "volume"), differs ? "from now on" : "as before");
  return {};
}

}  // namespace

void add_space_settings(CLI::App& command, Run& run) {
  auto options = std::make_shared<SettingOptions>();
  const auto add = [&](const char* name, const char* text, const char* words,
                       Result<void> (*function)(const SettingOptions&)) {
    auto* sub = command.add_subcommand(name, text);
    sub->add_option("ACTION", options->action, "list, set or remove")
        ->check(CLI::IsMember({"list", "set", "remove"}))
        ->required();
    sub->add_option("SPACE", options->space, "OWNER/NAME")->required();
    sub->add_option("WORD", options->words, words);
    sub->add_flag("--dry-run", options->dry_run, "show the requests, secrets masked, and send none");
    sub->callback([=, &run] {
      if (options->action != "list" && options->words.empty() && std::string(name) != "volume")
        throw CLI::RequiredError("WORD");
      run = [=] {
        const auto done = function(*options);
        return done ? kDone : report(done.error());
      };
    });
  };
  add("secret", "Names of its secrets; set takes values from the environment or standard input", "KEY",
      secret);
  add("variable", "Its public settings", "KEY=VALUE to set, KEY to remove", variable);
  add("volume", "Storage that outlives a restart", "bucket:OWNER/NAME:/data", volume);
}

}  // namespace alcove::app
