#include "api/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>

#include "api/assets.h"
#include "api/idleness.h"
#include "api/status.h"
#include "base/log.h"

namespace alcove::api {
namespace {

// The page runs its own scripts and talks to its own server; nothing else can be made to run in it. It may be
// shown in another page's frame, since that is how the Hub shows a Space.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'";

Reply reply_of(const Request& request, const Asset& asset) {
  Reply reply{.content_type = std::string(asset.content_type), .headers = {}};
  reply.headers = {{"ETag", asset.etag}, {"Cache-Control", "no-cache"}, {"Vary", "Accept, Accept-Encoding"}};
  if (asset.content_type.starts_with("text/html"))
    reply.headers.insert(reply.headers.end(), {{"Content-Security-Policy", std::string(kPagePolicy)},
                                               {"Referrer-Policy", "no-referrer"}});
  if (request.header("if-none-match") == asset.etag) {
    reply.status = 304;
  } else if (!asset.gzipped.empty() &&
             request.header("accept-encoding").find("gzip") != std::string_view::npos) {
    reply.headers.emplace_back("Content-Encoding", "gzip");
    reply.body = asset.gzipped;
  } else {
    reply.body = as_text(asset.content);
  }
  return reply;
}

Reply unauthorized() {
  auto reply =
      error_reply({ErrorKind::BadInput,
                   "this server wants its access token: send Authorization: Bearer <token>", "unauthorized"},
                  401);
  reply.set_header("WWW-Authenticate", "Bearer");
  return reply;
}

Reply no_owner() {
  auto reply =
      error_reply({ErrorKind::BadInput,
                   "this changes what everybody finds, and nobody is known to own this server: start "
                   "it with ALCOVE_TOKEN set and send that token",
                   "no_token_set"},
                  401);
  reply.set_header("WWW-Authenticate", "Bearer");
  return reply;
}

Reply preflight_reply(std::string methods) {
  methods += ", OPTIONS";
  Reply reply{.status = 204, .headers = {}};
  reply.headers = {{"Allow", methods},
                   {"Access-Control-Allow-Methods", methods},
                   {"Access-Control-Allow-Headers",
                    "Authorization, Content-Type, Last-Event-ID, Prefer, Traceparent, X-Request-Id"},
                   {"Access-Control-Max-Age", "600"}};
  return reply;
}

Reply not_allowed(const std::string& path, const std::string& methods) {
  auto reply = error_reply(
      {ErrorKind::BadInput, fmt::format("Method Not Allowed: {} is asked for with {}", path, methods),
       "method_not_allowed"},
      405);
  reply.set_header("Allow", methods);
  return reply;
}

bool comes_by_the_clock(const Route* route) {
  if (route == nullptr) return false;
  constexpr std::string_view kProbes[] = {"/health", "/healthz",        "/livez",
                                          "/readyz", "/v2/health/live", "/v2/health/ready"};
  return route->access == Access::Figures || std::ranges::find(kProbes, route->path) != std::end(kProbes);
}

}  // namespace

Routes::Routes(Door door, std::vector<Route> routes, std::vector<Route> dialects)
    : door_(std::move(door)), routes_(std::move(routes)), own_(routes_.size()) {
  std::ranges::move(dialects, std::back_inserter(routes_));
}

const Route* Routes::find(Method method, std::string_view path) const {
  const auto found = std::ranges::find_if(
      routes_, [&](const Route& route) { return route.method == method && match_route(route.path, path); });
  return found == routes_.end() ? nullptr : &*found;
}

std::vector<std::string> Routes::endpoints() const {
  std::vector<std::string> all;
  for (const auto& route : std::span(routes_).first(own_))
    all.push_back(fmt::format("{} {}", name_of(route.method), route.path));
  return all;
}

Idleness& since_last_call() {
  static Idleness idleness;
  return idleness;
}

std::string Routes::allowed_methods(std::string_view path) const {
  std::string methods = find_asset(path) ? "GET" : "";
  for (const auto& route : routes_)
    if (match_route(route.path, path) && methods.find(name_of(route.method)) == std::string::npos)
      methods.append(methods.empty() ? "" : ", ").append(name_of(route.method));
  return methods;
}

bool Routes::may(Access access, const Request& request) const {
  if (access == Access::Open || (door_.tokens.empty() && access != Access::Owner)) return true;
  if (access == Access::Figures && !door_.guard_figures) return true;
  // Chroma's clients have a header of their own for it.
  return door_.tokens.admit(request.header("authorization")) ||
         door_.tokens.admit(fmt::format("Bearer {}", request.header("x-chroma-token")));
}

std::optional<Reply> Routes::refuse(const Request& head) const {
  const auto* route = find(head.method, head.path);
  if (route == nullptr || may(route->access, head)) return std::nullopt;
  return door_.tokens.empty() ? no_owner() : unauthorized();
}

void Routes::handle(Request request, Answer answer) const {
  const auto* route = find(request.method, request.path);
  if (!comes_by_the_clock(route)) since_last_call().note_use();
  if (route != nullptr) {
    request.parameter = *match_route(route->path, request.path);
    return route->handle(std::move(request), std::move(answer));
  }
  const auto methods = allowed_methods(request.path);
  if (methods.empty())
    return answer.send(
        error_reply({ErrorKind::NotFound, "Not Found: see / for what there is", "no_such_path"}));
  if (request.method == Method::Options) return answer.send(preflight_reply(methods));
  if (request.method == Method::Get && find_asset(request.path))
    return answer.send(asset_reply(request, request.path));
  answer.send(not_allowed(request.path, methods));
}

void Routes::finished(const Finished& request, Metrics& metrics) const {
  const auto* route = find(request.method, request.path);
  const std::string_view path = route != nullptr           ? std::string_view(route->path)
                                : find_asset(request.path) ? "/page"
                                                           : "/other";
  metrics.count_request(path, request.status, request.reason, request.seconds);

  std::vector<LogField> fields{{"id", std::string(request.id)},
                               {"method", std::string(name_of(request.method))},
                               {"route", std::string(path)},
                               {"status", static_cast<long long>(request.status)},
                               {"ms", std::round(request.seconds * 1e4) / 10},
                               {"bytes_in", static_cast<long long>(request.bytes_in)},
                               {"bytes_out", static_cast<long long>(request.bytes_out)}};
  if (!request.reason.empty()) fields.push_back({"reason", std::string(request.reason)});
  if (!request.trace.id.empty()) {
    fields.push_back({"trace_id", request.trace.id});
    fields.push_back({"parent_id", request.trace.parent});
  }
  const bool noise =
      !door_.log_probes && route != nullptr && route->access < Access::Guarded && request.status == 200;
  log(noise ? LogLevel::Debug : LogLevel::Info, "request", fields);
}

Reply asset_reply(const Request& request, std::string_view path) {
  return reply_of(request, *find_asset(path));
}

}  // namespace alcove::api
