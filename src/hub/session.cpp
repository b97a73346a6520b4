#include "hub/session.h"

#include <fmt/format.h>

#include <random>

#include "base/version.h"
#include "hub/fields.h"

namespace alcove::hub {
namespace {

using std::chrono::seconds;

// A version 4 UUID; the Hub folds it into the request id it reports.
std::string trace_id() {
  thread_local std::mt19937_64 random(std::random_device{}());
  const auto high = (random() & 0xffffffffffff0fffULL) | 0x4000ULL;
  const auto low = (random() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xffff,
                     low >> 48, low & 0xffffffffffffULL);
}

}  // namespace

std::string masked_text(const Change& change) {
  auto body = change.body;
  const auto mask = [](Json& setting) {
    if (setting.is_object() && setting.contains("value")) setting["value"] = "***";
  };
  if (change.path.ends_with("/secrets")) mask(body);
  if (body.is_object() && body.contains("secrets"))
    for (auto& secret : body["secrets"]) mask(secret);
  if (body.is_null()) return fmt::format("{} {}", change.method, change.path);
  return fmt::format("{} {} {}", change.method, change.path, to_text(body));
}

Result<Json> json_of(const net::Reply& reply, const About& about) {
  auto json = parse_json(reply.body);
  if (!json)
    return fail(
        ErrorKind::Unavailable,
        fmt::format("{} answers about {} with something that is no JSON; is it a Hub, and is no login page "
                    "in between?",
                    about.endpoint, about.what),
        "no_hub");
  return json;
}

net::Request Session::request(std::string method, const std::string& path) const {
  net::Request request{
      .method = std::move(method),
      .url = path.starts_with('/') ? settings_.endpoint + path : path,
      .headers = {{"User-Agent", fmt::format("alcove/{}", kVersion)}, {"X-Amzn-Trace-Id", trace_id()}}};
  if (!settings_.token.empty()) request.headers.push_back({"Authorization", "Bearer " + settings_.token});
  return request;
}

About Session::about(std::string what) const {
  return {.what = std::move(what), .endpoint = settings_.endpoint, .token_source = settings_.token_source};
}
About Session::about(const Repo& repo) const { return about(repo.id); }

Result<net::Reply> Session::checked(const net::Request& request, const About& about,
                                    const net::RetryRule& rule) const {
  if (settings_.offline)
    return fail(
        ErrorKind::Unavailable,
        fmt::format("HF_HUB_OFFLINE is set, so {} was not asked about {}", settings_.endpoint, about.what),
        "offline");
  auto reply = TRY(net::send_patiently(client_, request, rule));
  if (reply.status / 100 != 2) return std::unexpected(error_of(reply, about));
  return reply;
}

Result<net::Reply> Session::get(const std::string& path, const About& about) const {
  return checked(request("GET", path), about, {});
}

Result<Json> Session::get_json(const std::string& path, const About& about) const {
  return json_of(TRY(get(path, about)), about);
}

Result<net::Reply> Session::send(const Change& change, const About& about, Repeat repeat) const {
  if (rehearsal_) {
    rehearsal_(masked_text(change));
    return net::Reply{.status = 200, .body = "{}"};
  }
  auto asked = request(change.method, change.path);
  if (!change.body.is_null()) {
    asked.headers.push_back({"Content-Type", "application/json"});
    asked.body = to_text(change.body);
  }
  asked.repeatable = repeat == Repeat::Yes;
  return checked(asked, about, {});
}

Result<Json> Session::send_json(const Change& change, const About& about, Repeat repeat) const {
  return json_of(TRY(send(change, about, repeat)), about);
}

Result<Account> Session::whoami() const {
  const auto asked = about("the account");
  if (settings_.token.empty()) return std::unexpected(error_of({.status = 401}, asked));
  const auto json = TRY(get_json("/api/whoami-v2", asked));
  Account account{.name = text_or(json, "name")};
  if (account.name.empty())
    return fail(ErrorKind::Unavailable, settings_.endpoint + " does not say whose token this is", "no_hub");
  account.role = text_or(member(member(json, "auth"), "accessToken"), "role");
  account.paid = flag_or(json, "isPro", false);
  for (const auto& organisation : member(json, "orgs"))
    account.organisations.push_back(text_or(organisation, "name"));
  return account;
}

}  // namespace alcove::hub
