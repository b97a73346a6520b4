#include "api/gate.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/status.h"

namespace alcove::api {
namespace {

using gateway::Right;

constexpr std::string_view kCookie = "alcove_session";
constexpr std::string_view kUnnamed = "office";

// The server gives each cookie as a header of its own.
std::string cookie_of(const Request& request) {
  for (const auto& [name, value] : request.headers)
    if (name == "cookie" && value.starts_with(kCookie) && value.substr(kCookie.size()).starts_with('='))
      return value.substr(kCookie.size() + 1);
  return {};
}

void set_cookie(const Request& request, Reply& reply, const std::string& secret) {
  const auto age = secret.empty() ? 0 : std::chrono::seconds(gateway::kSessionTime).count();
  const bool encrypted = request.header("x-forwarded-proto") == "https";
  reply.set_header("Set-Cookie", fmt::format("{}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}{}",
                                             kCookie, secret, age, encrypted ? "; Secure" : ""));
}

Reply refusal(int status, std::string_view code, std::string sentence) {
  return error_reply({ErrorKind::BadInput, std::move(sentence), std::string(code)}, status);
}

Reply failed(const Error& error) {
  if (error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Overloaded)
    return busy_reply(error, 30);
  return error.code == "wrong_password" ? error_reply(error, 401) : error_reply(error);
}

std::string text_at(const Json& json, const char* name) {
  const auto& value = member(json, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

Reply private_reply(const Json& json) {
  auto reply = json_reply(200, json);
  reply.set_header("Cache-Control", "no-store");
  return reply;
}

}  // namespace

Right right_of(const Route& route) {
  const std::string_view path = route.path;
  if (path.starts_with("/accounts") || path.starts_with("/tokens")) return Right::Administer;
  if (route.method == Method::Get) return Right::Read;
  return path.starts_with("/review") || path.starts_with("/roster") ? Right::Review : Right::Upload;
}

Result<Gate::Caller> Gate::caller(const Request& request) {
  Caller caller;
  const auto authorization = request.header("authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (!authorization.empty()) {
    caller.presented = true;
    if (settings_.tokens.admit(authorization)) {
      caller.admitted = gateway::Admitted{"token", "token", {}, *gateway::rights_of_role("administrator")};
    } else if (authorization.size() > kScheme.size() &&
               equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) {
      caller.admitted = TRY(accounts_.token(std::string(trimmed(authorization.substr(kScheme.size())))));
    }
    return caller;
  }
  const auto cookie = cookie_of(request);
  if (cookie.empty()) return caller;
  caller.by_cookie = caller.presented = true;
  caller.admitted = TRY(accounts_.session(cookie));
  return caller;
}

std::optional<Reply> Gate::refuse(const Request& head, const Route& route) {
  if (route.access == Access::Open || (route.access == Access::Figures && !settings_.guard_figures))
    return std::nullopt;
  const auto in_force = accounts_.in_force();
  if (!in_force) return failed(in_force.error());
  if (!*in_force && !settings_.require_account && settings_.tokens.empty()) return std::nullopt;
  const auto caller = this->caller(head);
  if (!caller) return failed(caller.error());
  if (!caller->admitted) {
    auto reply =
        refusal(401, "unauthorized",
                caller->by_cookie ? "this session has ended; sign in again"
                                  : "this gateway wants to know who asks: sign in on its page, or send "
                                    "Authorization: Bearer <token>");
    reply.set_header("WWW-Authenticate", "Bearer");
    return reply;
  }
  if (!caller->admitted->may(right_of(route)))
    return refusal(403, "forbidden",
                   fmt::format("{} may not do this; an administrator can", caller->admitted->who));
  if (caller->by_cookie && head.method != Method::Get &&
      !equal_in_constant_time(head.header("x-csrf-token"), caller->admitted->csrf))
    return refusal(403, "csrf", "the request does not come from this gateway's own page; reload it");
  return std::nullopt;
}

std::string Gate::who(const Request& request) {
  const auto caller = this->caller(request);
  return caller && caller->admitted ? caller->admitted->who : std::string(kUnnamed);
}

std::vector<Route> Gate::routes(const std::function<void(Answer, std::function<void()>)>& elsewhere) {
  using Work = Reply (Gate::*)(const Request&);
  const auto here = [this, elsewhere](Work work) {
    return [this, elsewhere, work](Request request, Answer answer) {
      const auto held = std::make_shared<const Request>(std::move(request));
      elsewhere(answer, [this, work, held, answer] { answer.send((this->*work)(*held)); });
    };
  };
  return {
      {Method::Get, "/session", Access::Open, here(&Gate::session)},
      {Method::Post, "/session", Access::Open, here(&Gate::sign_in)},
      {Method::Delete, "/session", Access::Open, here(&Gate::sign_out)},
      {Method::Post, "/session/setup", Access::Open, here(&Gate::set_up)},
      {Method::Post, "/session/password", Access::Open, here(&Gate::choose_password)},
      {Method::Get, "/accounts", Access::Guarded, here(&Gate::list)},
      {Method::Post, "/accounts", Access::Guarded, here(&Gate::add)},
      {Method::Put, "/accounts/{name}", Access::Guarded, here(&Gate::change)},
      {Method::Delete, "/accounts/{name}", Access::Guarded, here(&Gate::remove)},
      {Method::Post, "/accounts/{name}/link", Access::Guarded, here(&Gate::link)},
      {Method::Post, "/tokens", Access::Guarded, here(&Gate::add_token)},
      {Method::Delete, "/tokens/{name}", Access::Guarded, here(&Gate::remove_token)},
  };
}

Reply Gate::session(const Request& request) {
  const auto in_force = accounts_.in_force();
  if (!in_force) return failed(in_force.error());
  const auto caller = this->caller(request);
  if (!caller) return failed(caller.error());
  Json json{{"accounts", *in_force || settings_.require_account},
            {"name", nullptr},
            {"role", nullptr},
            {"csrf", nullptr}};
  if (caller->admitted && caller->by_cookie)
    json.update({{"name", caller->admitted->who},
                 {"role", caller->admitted->role},
                 {"csrf", caller->admitted->csrf}});
  return private_reply(json);
}

Reply Gate::let_in(const Request& request, const Result<std::string>& secret) {
  if (!secret) return failed(secret.error());
  const auto admitted = accounts_.session(*secret);
  if (!admitted) return failed(admitted.error());
  auto reply = private_reply({{"accounts", true},
                              {"name", (*admitted)->who},
                              {"role", (*admitted)->role},
                              {"csrf", (*admitted)->csrf}});
  set_cookie(request, reply, *secret);
  return reply;
}

Reply Gate::sign_in(const Request& request) {
  const auto body = parse_json(request.body);
  if (!body) return error_reply(body.error());
  return let_in(request, accounts_.sign_in(text_at(*body, "name"), text_at(*body, "password")));
}

Reply Gate::sign_out(const Request& request) {
  if (const auto cookie = cookie_of(request); !cookie.empty()) accounts_.sign_out(cookie);
  auto reply = private_reply({{"accounts", true}});
  set_cookie(request, reply, {});
  return reply;
}

Reply Gate::set_up(const Request& request) {
  const auto body = parse_json(request.body);
  if (!body) return error_reply(body.error());
  const auto name = text_at(*body, "name"), password = text_at(*body, "password");
  const auto made = accounts_.set_up(text_at(*body, "setup"), name, password);
  return made ? let_in(request, accounts_.sign_in(name, password)) : failed(made.error());
}

Reply Gate::choose_password(const Request& request) {
  const auto body = parse_json(request.body);
  if (!body) return error_reply(body.error());
  return let_in(request, accounts_.choose_password(text_at(*body, "word"), text_at(*body, "password")));
}

Reply Gate::list(const Request&) {
  const auto accounts = accounts_.accounts();
  if (!accounts) return failed(accounts.error());
  const auto tokens = accounts_.tokens();
  if (!tokens) return failed(tokens.error());
  Json json{{"accounts", Json::array()}, {"tokens", Json::array()}};
  for (const auto& each : *accounts)
    json["accounts"].push_back({{"name", each.name},
                                {"role", each.role},
                                {"active", each.active},
                                {"has_password", each.has_password}});
  for (const auto& each : *tokens) json["tokens"].push_back({{"name", each.name}, {"rights", each.role}});
  return private_reply(json);
}

Reply Gate::add(const Request& request) {
  const auto body = parse_json(request.body);
  if (!body) return error_reply(body.error());
  const auto name = text_at(*body, "name"), password = text_at(*body, "password"),
             role = text_at(*body, "role");
  // Without a password, whoever it is for chooses one with a link.
  const auto made = password.empty() ? accounts_.invite(name, role) : accounts_.add(name, password, role);
  return made ? list(request) : failed(made.error());
}

Reply Gate::change(const Request& request) {
  const auto body = parse_json(request.body);
  if (!body) return error_reply(body.error());
  const auto& role = member(*body, "role");
  const auto& active = member(*body, "active");
  if ((!role.is_null() && !role.is_string()) || (!active.is_null() && !active.is_boolean()) ||
      (role.is_null() && active.is_null()))
    return error_reply(
        {ErrorKind::BadInput, "an account's role is a word, and active is true or false", "no_change"});
  const auto changed = accounts_.change(
      request.parameter, role.is_null() ? std::nullopt : std::optional(role.get<std::string>()),
      active.is_null() ? std::nullopt : std::optional(active.get<bool>()));
  if (!changed) return failed(changed.error());
  return *changed ? list(request)
                  : error_reply({ErrorKind::NotFound, "there is no such account", "no_such_account"});
}

Reply Gate::link(const Request& request) {
  const auto word = accounts_.link_word(request.parameter);
  if (!word) return failed(word.error());
  return private_reply(
      {{"name", request.parameter}, {"link", "/#password/" + *word}, {"hours", gateway::kLinkTime.count()}});
}

Reply Gate::remove(const Request& request) {
  const auto removed = accounts_.remove(request.parameter);
  if (!removed) return failed(removed.error());
  return *removed ? list(request)
                  : error_reply({ErrorKind::NotFound, "there is no such account", "no_such_account"});
}

Reply Gate::add_token(const Request& request) {
  const auto body = parse_json(request.body);
  if (!body) return error_reply(body.error());
  const auto secret = accounts_.add_token(text_at(*body, "name"), text_at(*body, "rights"));
  return secret ? private_reply({{"name", text_at(*body, "name")}, {"token", *secret}})
                : failed(secret.error());
}

Reply Gate::remove_token(const Request& request) {
  const auto removed = accounts_.remove_token(request.parameter);
  if (!removed) return failed(removed.error());
  return *removed ? list(request)
                  : error_reply({ErrorKind::NotFound, "there is no such token", "no_such_token"});
}

}  // namespace alcove::api
