#include "api/sheet_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/sheet_status.h"
#include "api/status.h"
#include "base/version.h"

namespace alcove::api {
namespace {

constexpr std::string_view kService = "Answer Sheet ML Inference";
constexpr std::string_view kPage = "/sheet/index.html";

// Tenths of a millisecond, as a header.
std::string milliseconds(double seconds) { return fmt::format("{:.1f}", seconds * 1e3); }

}  // namespace

SheetService::SheetService(ServiceSettings settings, SheetSpace& space, ReadPage read)
    : settings_(std::move(settings)),
      space_(space),
      desk_(std::move(read), metrics_),
      batches_(space_, desk_, settings_.batch, settings_.jobs),
      gradio_(std::string(kService), settings_.body_limit,
              {{.name = "predict",
                .description = "Reads the register number and the subject code off an answer sheet",
                .inputs = {{"file", "Sheet", "File", nullptr},
                           {"password", "Password of the PDF", "Textbox", ""}},
                .outputs = {{"reading", "Reading", "JSON", nullptr}},
                .run = [this](GradioCall call) { predict(std::move(call)); }}}),
      routes_(settings_.door, make_routes(), gradio_.routes()) {}

std::vector<Route> SheetService::make_routes() {
  const auto here = [this](void (SheetService::*run)(Request, Answer)) {
    return
        [this, run](Request request, Answer answer) { (this->*run)(std::move(request), std::move(answer)); };
  };
  const auto batch = [this](void (BatchRoutes::*run)(Request, Answer)) {
    return [this, run](Request request, Answer answer) {
      (batches_.*run)(std::move(request), std::move(answer));
    };
  };
  return {
      {Method::Get, "/", Access::Open, here(&SheetService::root)},
      {Method::Get, "/health", Access::Open, here(&SheetService::health)},
      {Method::Get, "/healthz", Access::Open, here(&SheetService::health)},
      {Method::Get, "/livez", Access::Open, here(&SheetService::health)},
      {Method::Get, "/v2/health/live", Access::Open, here(&SheetService::health)},
      {Method::Get, "/readyz", Access::Open, here(&SheetService::ready)},
      {Method::Get, "/v2/health/ready", Access::Open, here(&SheetService::ready)},
      {Method::Get, "/v2/models/{model}/ready", Access::Open, here(&SheetService::model_ready)},
      {Method::Get, "/status", Access::Figures, here(&SheetService::status)},
      {Method::Get, "/metrics", Access::Figures, here(&SheetService::metrics)},
      {Method::Post, "/extract", Access::Guarded, here(&SheetService::extract)},
      {Method::Post, "/extract/base64", Access::Guarded, here(&SheetService::extract_base64)},
      {Method::Post, "/extract/batch", Access::Guarded, batch(&BatchRoutes::stream)},
      {Method::Put, "/jobs/{id}", Access::Guarded, batch(&BatchRoutes::put_job)},
      {Method::Get, "/jobs/{id}", Access::Guarded, batch(&BatchRoutes::job)},
      {Method::Delete, "/jobs/{id}", Access::Guarded, batch(&BatchRoutes::remove_job)},
      {Method::Get, "/jobs/{id}/events", Access::Guarded, batch(&BatchRoutes::events)},
      {Method::Get, "/openapi.json", Access::Open,
       [](Request request, Answer answer) { answer.send(asset_reply(request, request.path)); }},
  };
}

std::optional<Reply> SheetService::refuse(const Request& head) {
  if (auto refused = routes_.refuse(head)) return refused;
  const auto* route = routes_.find(head.method, head.path);
  if (route == nullptr || route->access != Access::Guarded) return std::nullopt;
  // Too large comes before not ready: it would not help to come back.
  if (head.declared_length.value_or(0) > settings_.body_limit) return std::nullopt;
  const bool brings_sheets = head.method == Method::Post || head.method == Method::Put;
  if (!brings_sheets) return std::nullopt;
  if (const auto admitted = space_.admit(); !admitted) return unavailable(admitted.error());
  return std::nullopt;
}

void SheetService::handle(Request request, Answer answer) {
  routes_.handle(std::move(request), std::move(answer));
}

void SheetService::finished(const Finished& request) { routes_.finished(request, metrics_); }

void SheetService::root(Request request, Answer answer) {
  if (prefers_html(request.header("accept"))) return answer.send(asset_reply(request, kPage));
  auto reply = json_reply(
      200, {{"service", kService},
            {"version", std::string(kVersion)},
            {"endpoints", routes_.endpoints()},
            {"page", "open / in a browser to try a sheet"},
            {"log", "one line of JSON for each event, on the standard error of the server's process"}});
  reply.set_header("Vary", "Accept");
  answer.send(std::move(reply));
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
      {"alcove_ready", "1 when sheets are read.", state.usable() && !space_.draining() ? 1.0 : 0.0},
      {"alcove_model_load_seconds", "The last load of the models.", state.load_seconds},
      {"process_resident_memory_bytes", "Memory of this process.", resident_bytes()},
  });
  answer.send(std::move(reply));
}

void SheetService::extract(Request request, Answer answer) {
  read_upload(std::move(request), std::move(answer), upload_of_form);
}

void SheetService::extract_base64(Request request, Answer answer) {
  read_upload(std::move(request), std::move(answer), upload_of_base64);
}

void SheetService::predict(GradioCall call) {
  space_.submit(
      [this, call](sheets::SheetReader& reader, double queued_seconds) {
        if (call.gone()) return;
        call.begin();
        const SheetUpload upload{
            .content = as_bytes(call.file->content),
            .file_name = call.file->name,
            .exam_type = {},
            .password = call.values[1].is_string() ? call.values[1].get<std::string>() : ""};
        auto answer = desk_.read(reader, upload, queued_seconds, {});
        if (answer.status == 200) return call.done(Json::array({std::move(answer.body)}));
        call.done(fail(ErrorKind::BadInput, answer.body.value("detail", std::string())));
      },
      [call](const Error& error) { call.done(std::unexpected(error)); }, call.gone);
}

void SheetService::read_upload(Request request, Answer answer, ParseUpload parse) {
  // The upload points into the request's body, so the request stays where it is until it is answered.
  const auto held = std::make_shared<const Request>(std::move(request));
  space_.submit(
      [this, held, answer, parse](sheets::SheetReader& reader, double queued_seconds) {
        if (answer.gone()) return answer.send(error_reply({ErrorKind::Unavailable, "the client hung up"}));
        answer.send(reading_reply(*held, parse, reader, queued_seconds));
      },
      [this, answer](const Error& error) { answer.send(unavailable(error)); }, answer.gone);
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
    reply.set_header("Server-Timing", fmt::format("receive;dur={:.2f}, {}", request.receive_seconds * 1e3,
                                                  answer.server_timing));
  }
  return reply;
}

Reply SheetService::unavailable(const Error& error) const { return busy_reply(error, space_.retry_after()); }

}  // namespace alcove::api
