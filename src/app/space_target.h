#pragma once
// What the commands of `alcove space` share: which Space, as whom, and how people are asked.

#include <memory>
#include <optional>

#include "hub/space.h"

namespace CLI {
class App;
}

namespace alcove::app {

// A Space and the session it is reached by; stays where it is, since the one refers to the other.
struct SpaceTarget {
  hub::Session session;
  hub::Space space;

  SpaceTarget(hub::Settings settings, hub::Repo repo)
      : session(std::move(settings)), space(session, std::move(repo)) {}
  SpaceTarget(const SpaceTarget&) = delete;
  SpaceTarget& operator=(const SpaceTarget&) = delete;
};

// From the environment, keyless CI login included.
Result<hub::Settings> hub_settings();
Result<std::unique_ptr<SpaceTarget>> open_space(const std::string& name);

// A look at the application itself. A private Space gets the token by the header that the Hub's proxy takes
// away, over https alone (or on this machine).
net::Request visit(const SpaceTarget& target, const hub::SpaceInfo& info, const std::string& path);

// A small file of the Space, as text; empty when it is not there.
std::string text_in_space(const SpaceTarget& target, const std::string& revision, const std::string& path);

// The value of a secret, typed unseen where a terminal asks for it, without it ever standing on a command
// line, where every user of the machine could read it: from the environment variable of that name, else from
// standard input. `KEY=VALUE` is refused.
Result<hub::Setting> secret_from_outside(const std::string& key);
Result<hub::Setting> variable_of(const std::string& text);  // KEY=VALUE

// Asks at a terminal; elsewhere, and for an empty answer, the fallback. Nothing when the input ended.
std::string ask(const std::string& question, const std::string& fallback);
bool at_a_terminal();

std::string count_text(std::size_t count, const char* thing);  // "1 file", "3 files"

}  // namespace alcove::app
