#pragma once
// Calls to one Hub: addresses, credentials, patience and the meaning of what comes back.

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "hub/errors.h"
#include "hub/settings.h"
#include "net/retry.h"

namespace alcove::hub {

struct Account {
  std::string name;
  std::string role;   // of the token: read, write, fineGrained
  bool paid = false;  // PRO
  std::vector<std::string> organisations;
};

struct Change {  // a call that alters something
  std::string method, path;
  Json body;  // null: none
};

class Session {  // safe from any thread
 public:
  explicit Session(Settings settings) : settings_(std::move(settings)) {}

  // From now on changes are told, with secrets masked, instead of being sent, and answered with an empty
  // object.
  void rehearse(std::function<void(const std::string& line)> tell) { rehearsal_ = std::move(tell); }
  bool rehearsing() const { return static_cast<bool>(rehearsal_); }

  const Settings& settings() const { return settings_; }
  const net::Client& client() const { return client_; }

  // Authorization, user agent and trace id; `path` begins with a slash, or is a whole address on the
  // endpoint.
  net::Request request(std::string method, const std::string& path) const;
  About about(const Repo& repo) const;
  About about(std::string what) const;

  // Reads: repeated with patience. Unavailable at once when offline.
  Result<net::Reply> get(const std::string& path, const About& about) const;
  Result<Json> get_json(const std::string& path, const About& about) const;

  // Sends JSON. `repeat` when a second arrival does no harm. A status other than 2xx is an error.
  enum class Repeat { No, Yes };
  Result<net::Reply> send(const Change& change, const About& about, Repeat repeat = Repeat::No) const;
  Result<Json> send_json(const Change& change, const About& about, Repeat repeat = Repeat::No) const;

  // Any request of ours, with refusals turned to errors.
  Result<net::Reply> checked(const net::Request& request, const About& about,
                             const net::RetryRule& rule) const;

  Result<Account> whoami() const;

 private:
  Settings settings_;
  net::Client client_;
  std::function<void(const std::string& line)> rehearsal_;
};

// A change as one line, the values of secrets as ***.
std::string masked_text(const Change& change);

// The body as JSON; Unavailable when the server sent something else, such as a web page.
Result<Json> json_of(const net::Reply& reply, const About& about);

}  // namespace alcove::hub
