#include "api/sheet_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "api/assets.h"
#include "api/sheet_status.h"
#include "api/status.h"
#include "base/log.h"
#include "base/version.h"

namespace alcove::api {
namespace {

constexpr std::string_view kService = "Answer Sheet ML Inference";
constexpr std::string_view kPage = "/sheet/index.html";

// The page runs its own scripts and talks to its own server; nothing else can be made to run in it. It may be
// shown in another page's frame, since that is how the Hub shows a Space.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'";

Reply asset_reply(const Request& request, const Asset& asset) {
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

// Tenths of a millisecond, as a header.
std::string milliseconds(double seconds) { return fmt::format("{:.1f}", seconds * 1e3); }

}  // namespace

struct SheetService::Route {
  Method method;
  std::string_view path;
  Access access;
  void (SheetService::*handle)(Request, Answer);
};

struct SheetService::Match {
  const Route* route = nullptr;
  std::string_view parameter;
};

const SheetService::Route SheetService::kRoutes[] = {
    {Method::Get, "/", Access::Open, &SheetService::root},
    {Method::Get, "/openapi.json", Access::Open, &SheetService::asset},
    {Method::Get, "/health", Access::Open, &SheetService::health},
    {Method::Get, "/healthz", Access::Open, &SheetService::health},
    {Method::Get, "/livez", Access::Open, &SheetService::health},
    {Method::Get, "/v2/health/live", Access::Open, &SheetService::health},
    {Method::Get, "/readyz", Access::Open, &SheetService::ready},
    {Method::Get, "/v2/health/ready", Access::Open, &SheetService::ready},
    {Method::Get, "/v2/models/{model}/ready", Access::Open, &SheetService::model_ready},
    {Method::Get, "/status", Access::Figures, &SheetService::status},
    {Method::Get, "/metrics", Access::Figures, &SheetService::metrics},
    {Method::Post, "/extract", Access::Sheets, &SheetService::extract},
    {Method::Post, "/extract/base64", Access::Sheets, &SheetService::extract_base64},
    {Method::Post, "/extract/batch", Access::Sheets, &SheetService::extract_batch},
    {Method::Put, "/jobs/{id}", Access::Sheets, &SheetService::put_job},
    {Method::Get, "/jobs/{id}", Access::Sheets, &SheetService::job},
    {Method::Delete, "/jobs/{id}", Access::Sheets, &SheetService::remove_job},
    {Method::Get, "/jobs/{id}/events", Access::Sheets, &SheetService::job_events},
};

SheetService::SheetService(ServiceSettings settings, SheetSpace& space, ReadPage read)
    : settings_(std::move(settings)),
      space_(space),
      desk_(std::move(read), metrics_),
      batches_(space_, desk_, settings_.batch, settings_.jobs) {}

SheetService::Match SheetService::find(Method method, std::string_view path) {
  for (const auto& route : kRoutes)
    if (route.method == method)
      if (const auto parameter = match_route(route.path, path)) return {&route, *parameter};
  return {};
}

std::string SheetService::allowed_methods(std::string_view path) {
  std::string methods = find_asset(path) ? "GET" : "";
  for (const auto& route : kRoutes)
    if (match_route(route.path, path) && methods.find(name_of(route.method)) == std::string::npos)
      methods.append(methods.empty() ? "" : ", ").append(name_of(route.method));
  return methods;
}

bool SheetService::may(Access access, const Request& request) const {
  if (settings_.tokens.empty() || access == Access::Open) return true;
  if (access == Access::Figures && !settings_.guard_metrics) return true;
  return settings_.tokens.admit(request.header("authorization"));
}

std::optional<Reply> SheetService::refuse(const Request& head) {
  const auto [route, parameter] = find(head.method, head.path);
  if (route == nullptr) return std::nullopt;
  if (!may(route->access, head)) return unauthorized();
  // Too large comes before not ready: it would not help to come back.
  if (head.declared_length.value_or(0) > settings_.body_limit) return std::nullopt;
  const bool brings_sheets = head.method == Method::Post || head.method == Method::Put;
  if (!brings_sheets) return std::nullopt;
  if (const auto admitted = space_.admit(); !admitted) return unavailable(admitted.error());
  return std::nullopt;
}

void SheetService::handle(Request request, Answer answer) {
  if (const auto [route, parameter] = find(request.method, request.path); route != nullptr) {
    request.parameter = parameter;
    return (this->*route->handle)(std::move(request), std::move(answer));
  }
  const auto allowed = allowed_methods(request.path);
  if (allowed.empty())
    return answer.send(
        error_reply({ErrorKind::NotFound, "Not Found: see / for what there is", "no_such_path"}));
  if (request.method == Method::Options) return preflight(std::move(request), std::move(answer));
  if (request.method == Method::Get && find_asset(request.path))
    return asset(std::move(request), std::move(answer));
  auto reply = error_reply(
      {ErrorKind::BadInput, fmt::format("Method Not Allowed: {} is asked for with {}", request.path, allowed),
       "method_not_allowed"},
      405);
  reply.set_header("Allow", allowed);
  answer.send(std::move(reply));
}

void SheetService::root(Request request, Answer answer) {
  if (prefers_html(request.header("accept"))) return answer.send(asset_reply(request, *find_asset(kPage)));
  auto endpoints = Json::array();
  for (const auto& route : kRoutes)
    endpoints.push_back(fmt::format("{} {}", name_of(route.method), route.path));
  auto reply = json_reply(
      200, {{"service", kService},
            {"version", std::string(kVersion)},
            {"endpoints", std::move(endpoints)},
            {"page", "open / in a browser to try a sheet"},
            {"log", "one line of JSON for each event, on the standard error of the server's process"}});
  reply.set_header("Vary", "Accept");
  answer.send(std::move(reply));
}

void SheetService::asset(Request request, Answer answer) {
  answer.send(asset_reply(request, *find_asset(request.path)));
}

void SheetService::health(Request, Answer answer) {
  answer.send(json_reply(200, {{"status", "ok"}, {"service", kService}}));
}

void SheetService::ready(Request, Answer answer) {
  const auto admitted = space_.admit();
  // A full line is no reason to take the server out of service: it is working.
  if (admitted || admitted.error().kind == ErrorKind::Overloaded)
    return answer.send(json_reply(200, {{"ready", true}}));
  auto reply = unavailable(admitted.error());
  auto body = error_json(admitted.error());
  body["ready"] = false;
  reply.body = to_text(body);
  answer.send(std::move(reply));
}

// A model is known by its role: detector, register_reader, …
void SheetService::model_ready(Request request, Answer answer) {
  const auto state = space_.state();
  if (!state.reader) return ready(std::move(request), std::move(answer));
  const auto models = state.reader->models();
  if (std::ranges::find(models, request.parameter, &sheets::ModelInfo::role) == models.end())
    return answer.send(
        error_reply({ErrorKind::NotFound, "no model of this name is loaded; /status lists their roles",
                     "no_such_model"}));
  answer.send(json_reply(200, {{"name", request.parameter}, {"ready", true}}));
}

void SheetService::status(Request, Answer answer) {
  const auto& workers = settings_.decode_workers;
  answer.send(json_reply(200, status_json(space_, settings_.body_limit, settings_.batch,
                                          workers ? std::optional(workers()) : std::nullopt)));
}

void SheetService::metrics(Request, Answer answer) {
  const auto state = space_.state();
  auto reply = Reply{.content_type = "text/plain; version=0.0.4", .headers = {}};
  reply.body = metrics_.text({
      {"alcove_requests_in_flight", "Requests without a reply yet.",
       static_cast<double>(requests_in_flight())},
      {"alcove_queue_waiting", "Sheets that wait.", static_cast<double>(space_.queue().waiting())},
      {"alcove_queue_running", "Sheets being read.", static_cast<double>(space_.queue().running())},
      {"alcove_jobs", "Jobs kept, read and unread.", static_cast<double>(batches_.jobs())},
      {"alcove_ready", "1 when sheets are read.", state.reader && !space_.draining() ? 1.0 : 0.0},
      {"alcove_model_load_seconds", "The last load of the models.", state.load_seconds},
      {"process_resident_memory_bytes", "Memory of this process.", resident_bytes()},
  });
  answer.send(std::move(reply));
}

void SheetService::preflight(Request request, Answer answer) {
  const auto methods = allowed_methods(request.path) + ", OPTIONS";
  Reply reply{.status = 204, .headers = {}};
  reply.headers = {{"Allow", methods},
                   {"Access-Control-Allow-Methods", methods},
                   {"Access-Control-Allow-Headers",
                    "Authorization, Content-Type, Last-Event-ID, Traceparent, X-Request-Id"},
                   {"Access-Control-Max-Age", "600"}};
  answer.send(std::move(reply));
}

void SheetService::extract(Request request, Answer answer) {
  read_upload(std::move(request), std::move(answer), upload_of_form);
}

void SheetService::extract_base64(Request request, Answer answer) {
  read_upload(std::move(request), std::move(answer), upload_of_base64);
}

void SheetService::extract_batch(Request request, Answer answer) {
  batches_.stream(std::move(request), std::move(answer));
}

void SheetService::put_job(Request request, Answer answer) {
  batches_.put_job(std::move(request), std::move(answer));
}

void SheetService::job(Request request, Answer answer) {
  batches_.job(std::move(request), std::move(answer));
}

void SheetService::job_events(Request request, Answer answer) {
  batches_.events(std::move(request), std::move(answer));
}

void SheetService::remove_job(Request request, Answer answer) {
  batches_.remove_job(std::move(request), std::move(answer));
}

void SheetService::read_upload(Request request, Answer answer, ParseUpload parse) {
  // The upload points into the request's body, so the request stays where it is until it is answered.
  const auto held = std::make_shared<const Request>(std::move(request));
  const auto taken = space_.submit(
      [this, held, answer, parse](sheets::SheetReader& reader, double queued_seconds) {
        if (answer.gone()) return answer.send(error_reply({ErrorKind::Unavailable, "the client hung up"}));
        answer.send(reading_reply(*held, parse, reader, queued_seconds));
      },
      answer.gone);
  if (!taken) answer.send(unavailable(taken.error()));
}

Reply SheetService::reading_reply(const Request& request, ParseUpload parse, sheets::SheetReader& reader,
                                  double queued_seconds) const {
  if (queued_seconds > static_cast<double>(settings_.longest_wait.count())) {
    auto late = unavailable({ErrorKind::Unavailable,
                             fmt::format("the sheet waited longer than {} s for its turn; send it again",
                                         settings_.longest_wait.count()),
                             "too_late"});
    late.status = 504;
    return late;
  }
  const auto upload = parse(request);
  if (!upload) return error_reply(upload.error());
  auto answer = desk_.read(reader, *upload, queued_seconds, request.id);
  auto reply = json_reply(answer.status, answer.body);
  reply.reason = std::move(answer.reason);
  reply.set_header("X-Queue-Time", milliseconds(queued_seconds));
  reply.set_header("Cache-Control", "no-store");
  if (reply.status == 503) reply.set_header("Retry-After", std::to_string(space_.retry_after()));
  if (reply.status == 200) {
    reply.set_header("X-Inference-Time", milliseconds(answer.inference_seconds));
    reply.set_header("Server-Timing", std::move(answer.server_timing));
  }
  return reply;
}

Reply SheetService::unavailable(const Error& error) const { return busy_reply(error, space_.retry_after()); }

void SheetService::finished(const Finished& request) {
  // Only paths of our own are counted and logged: any other is a stranger's text, and could be somebody's
  // file name.
  const auto [route, parameter] = find(request.method, request.path);
  const std::string_view path = route != nullptr           ? route->path
                                : find_asset(request.path) ? "/page"
                                                           : "/other";
  metrics_.count_request(path, request.status, request.reason, request.seconds);

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
  // Probes and scrapes come every few seconds for ever; those that went well are left out.
  const bool noise = route != nullptr && route->access != Access::Sheets && request.status == 200;
  log(noise ? LogLevel::Debug : LogLevel::Info, "request", fields);
}

}  // namespace alcove::api
