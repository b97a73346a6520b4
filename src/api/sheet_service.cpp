#include "api/sheet_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <nlohmann/json.hpp>

#include "api/assets.h"
#include "api/base64.h"
#include "api/sheet_json.h"
#include "api/sheet_status.h"
#include "api/status.h"
#include "base/log.h"
#include "base/version.h"
#include "imaging/decode.h"

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

bool is_extract(std::string_view path) { return path == "/extract" || path == "/extract/base64"; }

Reply unauthorized() {
  auto reply =
      json_reply(401, {{"detail", "this server wants its access token: send Authorization: Bearer <token>"}});
  reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

// The contract's rule: content that is recognised wins over any name; what is not recognised is unreadable
// under a name that promises a sheet, and a mistake of the caller under any other.
Error judged_by_name(Error error, const std::string& file_name) {
  if (error.code != "unknown_format" && error.code != "empty_file") return error;
  if (!imaging::is_listed_extension(file_name)) error.kind = ErrorKind::BadInput;
  return error;
}

}  // namespace

struct SheetService::Route {
  Method method;
  std::string_view path;
  void (SheetService::*handle)(Request, Answer);
};

const SheetService::Route SheetService::kRoutes[] = {
    {Method::Get, "/", &SheetService::root},
    {Method::Get, "/health", &SheetService::health},
    {Method::Get, "/healthz", &SheetService::health},
    {Method::Get, "/livez", &SheetService::health},
    {Method::Get, "/v2/health/live", &SheetService::health},
    {Method::Get, "/readyz", &SheetService::ready},
    {Method::Get, "/v2/health/ready", &SheetService::ready},
    {Method::Get, "/status", &SheetService::status},
    {Method::Get, "/metrics", &SheetService::metrics},
    {Method::Post, "/extract", &SheetService::extract},
    {Method::Post, "/extract/base64", &SheetService::extract_base64},
};

SheetService::SheetService(ServiceSettings settings, SheetSpace& space, ReadPage read)
    : settings_(std::move(settings)), space_(space), read_(std::move(read)) {}

const SheetService::Route* SheetService::find(Method method, std::string_view path) {
  const auto found = std::ranges::find_if(
      kRoutes, [&](const Route& route) { return route.method == method && route.path == path; });
  return found == std::end(kRoutes) ? nullptr : &*found;
}

std::optional<Reply> SheetService::refuse(const Request& head) {
  if (!is_extract(head.path) || head.method != Method::Post) return std::nullopt;
  if (!settings_.token.empty() &&
      !equal_in_constant_time(head.header("authorization"), "Bearer " + settings_.token))
    return unauthorized();
  // Too large comes before not ready: it would not help to come back.
  if (head.declared_length.value_or(0) > settings_.body_limit) return std::nullopt;
  if (const auto admitted = space_.admit(); !admitted) return unavailable(admitted.error());
  return std::nullopt;
}

void SheetService::handle(Request request, Answer answer) {
  if (const auto* route = find(request.method, request.path))
    return (this->*route->handle)(std::move(request), std::move(answer));
  if (request.method == Method::Options) return preflight(std::move(request), std::move(answer));
  if (request.method == Method::Get && find_asset(request.path))
    return asset(std::move(request), std::move(answer));

  const auto other = std::ranges::find(kRoutes, request.path, &Route::path);
  if (other == std::end(kRoutes) && !find_asset(request.path))
    return answer.send(json_reply(404, {{"detail", "Not Found: see / for what there is"}}));
  const auto allowed = other == std::end(kRoutes) ? Method::Get : other->method;
  auto reply = json_reply(405, {{"detail", fmt::format("Method Not Allowed: {} is asked for with {}",
                                                       request.path, name_of(allowed))}});
  reply.headers.emplace_back("Allow", name_of(allowed));
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
  reply.headers.emplace_back("Vary", "Accept");
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
  auto body = error_json(admitted.error());
  body["ready"] = false;
  auto reply = json_reply(503, body);
  reply.headers.emplace_back("Retry-After", std::to_string(space_.retry_after()));
  answer.send(std::move(reply));
}

void SheetService::status(Request, Answer answer) {
  answer.send(json_reply(200, status_json(space_, settings_.body_limit)));
}

void SheetService::metrics(Request, Answer answer) {
  const auto state = space_.state();
  auto reply = Reply{.content_type = "text/plain; version=0.0.4", .headers = {}};
  reply.body = metrics_.text({
      {"alcove_requests_in_flight", "Requests without a reply yet.",
       static_cast<double>(requests_in_flight())},
      {"alcove_queue_waiting", "Sheets that wait.", static_cast<double>(space_.queue().waiting())},
      {"alcove_queue_running", "Sheets being read.", static_cast<double>(space_.queue().running())},
      {"alcove_ready", "1 when sheets are read.", state.reader && !space_.draining() ? 1.0 : 0.0},
      {"alcove_model_load_seconds", "The last load of the models.", state.load_seconds},
      {"process_resident_memory_bytes", "Memory of this process.", resident_bytes()},
  });
  answer.send(std::move(reply));
}

void SheetService::preflight(Request, Answer answer) {
  Reply reply{.status = 204, .headers = {}};
  reply.headers = {{"Access-Control-Allow-Methods", "GET, POST, OPTIONS"},
                   {"Access-Control-Allow-Headers", "Authorization, Content-Type, X-Request-Id"},
                   {"Access-Control-Max-Age", "600"}};
  answer.send(std::move(reply));
}

void SheetService::extract(Request request, Answer answer) {
  read_upload(std::move(request), std::move(answer), upload_of_form);
}

void SheetService::extract_base64(Request request, Answer answer) {
  read_upload(std::move(request), std::move(answer), upload_of_base64);
}

void SheetService::read_upload(Request request, Answer answer, ParseUpload parse) {
  // The upload points into the request's body, so the request stays where it is until it is answered.
  const auto held = std::make_shared<const Request>(std::move(request));
  const auto taken =
      space_.submit([this, held, answer, parse](sheets::SheetReader& reader, double queued_seconds) {
        if (answer.gone()) return answer.send(json_reply(503, {{"detail", "the client hung up"}}));
        answer.send(reading_reply(*held, parse, reader, queued_seconds));
      });
  if (!taken) answer.send(unavailable(taken.error()));
}

Reply SheetService::reading_reply(const Request& request, ParseUpload parse, sheets::SheetReader& reader,
                                  double queued_seconds) {
  const auto upload = parse(request);
  if (!upload) return error_reply(upload.error());
  Result<PageReading> page =
      fail(ErrorKind::Internal, "the sheet could not be read; the server's log says why");
  // The folders below turn their libraries' exceptions into errors; memory may run out anywhere.
  try {
    page = read_(reader, upload->file(), {.password = upload->password, .preview = upload->preview});
  } catch (const std::exception& error) {
    log(LogLevel::Error, "read_failed", {{"id", request.id}, {"error", std::string(error.what())}});
  }
  if (!page) return error_reply(judged_by_name(page.error(), upload->file_name));

  auto json = to_json(page->reading, reader.models());
  if (!upload->exam_type.empty()) json["exam_type"] = upload->exam_type;
  if (!page->preview.empty()) json["preview"] = "data:image/jpeg;base64," + encode_base64(page->preview);

  auto timing = fmt::format("queue;dur={:.1f}", queued_seconds * 1e3);
  metrics_.add_stage("queue", queued_seconds);
  for (const auto& stage : page->reading.timings) {
    fmt::format_to(std::back_inserter(timing), ", {};dur={:.1f}", stage.name, stage.milliseconds);
    metrics_.add_stage(stage.name, stage.milliseconds / 1e3);
  }
  auto reply = json_reply(200, json);
  reply.headers.emplace_back("Server-Timing", std::move(timing));
  reply.headers.emplace_back("Cache-Control", "no-store");
  return reply;
}

Reply SheetService::unavailable(const Error& error) const { return busy_reply(error, space_.retry_after()); }

void SheetService::finished(const Finished& request) {
  // Only paths of our own are counted and logged: any other is a stranger's text, and could be somebody's
  // file name.
  const auto route = std::ranges::find(kRoutes, request.path, &Route::path);
  const std::string_view path = route != std::end(kRoutes) ? route->path
                                : find_asset(request.path) ? "/page"
                                                           : "/other";
  metrics_.count_request(path, request.status, request.seconds);
  log(is_extract(path) || request.status >= 400 ? LogLevel::Info : LogLevel::Debug, "request",
      {{"id", std::string(request.id)},
       {"method", std::string(name_of(request.method))},
       {"path", std::string(path)},
       {"status", static_cast<long long>(request.status)},
       {"milliseconds", std::round(request.seconds * 1e4) / 10},
       {"bytes_in", static_cast<long long>(request.bytes_in)},
       {"bytes_out", static_cast<long long>(request.bytes_out)}});
}

}  // namespace alcove::api
