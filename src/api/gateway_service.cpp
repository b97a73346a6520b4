#include "api/gateway_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <nlohmann/json.hpp>

#include "api/sheet_upload.h"
#include "api/status.h"
#include "base/version.h"
#include "gateway/intake.h"
#include "sheets/model_folder.h"

namespace alcove::api {
namespace {

constexpr std::string_view kService = "Answer Sheet Gateway";
constexpr std::string_view kPage = "/gateway/index.html";
constexpr int kIntakeThreads = 4;  // that wait for the disk
constexpr std::size_t kIntakeLine = 1'000;
constexpr int kLookThreads = 2;     // as many pages are opened at once
constexpr int kArchiveThreads = 2;  // each is one caller's, who may be slow
constexpr std::size_t kArchiveLine = 16;
constexpr std::chrono::seconds kReadingHere{
    30};  // what a caller who was held is given beyond, when sheets are read here
constexpr std::int64_t kLogged = 100;  // entries of the scan log, as in the original
constexpr std::int64_t kMostListed = 10'000;

Json model_files(const std::filesystem::path& folder) {
  auto files = Json::object();
  std::error_code unreadable;
  for (const auto& entry : std::filesystem::directory_iterator(folder, unreadable))
    if (entry.is_regular_file(unreadable))
      files[entry.path().filename().string()] = entry.file_size(unreadable);
  return files;
}

// `Prefer: respond-async`, alone or among others (RFC 7240).
bool prefers_async(const Request& request) {
  return request.header("prefer").find("respond-async") != std::string_view::npos;
}

Reply database_reply(const Error& error) {
  return error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Overloaded ? busy_reply(error, 5)
                                                                                     : error_reply(error);
}

}  // namespace

GatewayService::GatewayService(GatewayServiceSettings settings, gateway::Gateway& gateway,
                               gateway::Ledger& ledger, gateway::Readers& readers,
                               const gateway::Figures& figures, gateway::OfficeDesk& desk, Gate& gate)
    : settings_(std::move(settings)),
      gateway_(gateway),
      ledger_(ledger),
      readers_(readers),
      figures_(figures),
      gate_(gate),
      jobs_(gateway, ledger, settings_.batch),
      office_(
          desk, ledger, pictures_,
          {.elsewhere = [this](Answer answer,
                               std::function<void()> work) { elsewhere(std::move(answer), std::move(work)); },
           .looking = [this](
                          Answer answer,
                          std::function<void()> work) { offer(looks_, std::move(answer), std::move(work)); },
           .at_leisure =
               [this](Answer answer, std::function<void()> work) {
                 offer(archives_, std::move(answer), std::move(work));
               },
           .who = [&gate](const Request& request) { return gate.who(request); }}),
      routes_({.tokens = {}, .log_probes = settings_.log_probes}, make_routes()),
      archives_(kArchiveThreads, kArchiveLine),
      looks_(kLookThreads, kIntakeLine),
      intake_(kIntakeThreads, kIntakeLine) {}

// The original's router stood under /extract; its guide calls the short names. Both are served.
std::vector<Route> GatewayService::make_routes() {
  const auto here = [this](void (GatewayService::*run)(Request, Answer)) {
    return
        [this, run](Request request, Answer answer) { (this->*run)(std::move(request), std::move(answer)); };
  };
  std::vector<Route> routes{
      {Method::Get, "/", Access::Open, here(&GatewayService::root)},
      {Method::Get, "/health", Access::Open, here(&GatewayService::health)},
      {Method::Get, "/healthz", Access::Open, here(&GatewayService::health)},
      {Method::Get, "/livez", Access::Open, here(&GatewayService::health)},
      {Method::Get, "/readyz", Access::Open, here(&GatewayService::ready)},
      {Method::Get, "/openapi.json", Access::Open,
       [](Request request, Answer answer) { answer.send(asset_reply(request, "/gateway/openapi.json")); }},
      {Method::Get, "/extract/status", Access::Open, here(&GatewayService::extract_status)},
      {Method::Get, "/status", Access::Figures, here(&GatewayService::status)},
      {Method::Get, "/metrics", Access::Figures, here(&GatewayService::metrics)},
      {Method::Post, "/extract", Access::Guarded, here(&GatewayService::extract)},
      {Method::Post, "/extract/extract", Access::Guarded, here(&GatewayService::extract)},
      {Method::Post, "/scan-upload", Access::Guarded, here(&GatewayService::scan_upload)},
      {Method::Post, "/extract/scan-upload", Access::Guarded, here(&GatewayService::scan_upload)},
      {Method::Get, "/scan-log", Access::Guarded, here(&GatewayService::scan_log)},
      {Method::Get, "/extract/scan-log", Access::Guarded, here(&GatewayService::scan_log)},
      {Method::Get, "/records", Access::Guarded, here(&GatewayService::records)},
      {Method::Get, "/records/{uuid}", Access::Guarded, here(&GatewayService::record)},
      {Method::Get, "/records/{uuid}/file", Access::Guarded, here(&GatewayService::file)},
      {Method::Get, "/records/{uuid}/pdf", Access::Guarded, here(&GatewayService::pdf)},
      {Method::Put, "/jobs/{id}", Access::Guarded, here(&GatewayService::put_job)},
      {Method::Get, "/jobs/{id}", Access::Guarded, here(&GatewayService::job)},
      {Method::Get, "/jobs/{id}/events", Access::Guarded, here(&GatewayService::job_events)},
  };
  std::ranges::move(office_.routes(), std::back_inserter(routes));
  std::ranges::move(gate_.routes([this](Answer answer, std::function<void()> work) {
    elsewhere(std::move(answer), std::move(work));
  }),
                    std::back_inserter(routes));
  return routes;
}

std::optional<Reply> GatewayService::refuse(const Request& head) {
  const auto* route = routes_.find(head.method, head.path);
  if (route == nullptr) return std::nullopt;
  if (auto refused = gate_.refuse(head, *route)) return refused;
  const bool brings_sheets = route->access == Access::Guarded && head.method != Method::Get &&
                             right_of(*route) == gateway::Right::Upload;
  if (!brings_sheets) return std::nullopt;
  // While the sheet is still arriving, the Space has time to wake.
  if (auto* space = readers_.space()) space->wake();
  if (draining_)
    return busy_reply({ErrorKind::Unavailable,
                       "the gateway is shutting down; send the sheet again in a moment", "shutting_down"},
                      2);
  if (head.method == Method::Post && head.declared_length.value_or(0) > settings_.sheet_limit)
    return error_reply(
        {ErrorKind::TooLarge, fmt::format("the request has more than {} bytes, the most a sheet may have",
                                          settings_.sheet_limit)});
  if (!readers_.any()) return busy_reply({ErrorKind::Unavailable, readers_.advice(), "no_reader"}, 60);
  return std::nullopt;
}

void GatewayService::elsewhere(Answer answer, std::function<void()> work) {
  offer(intake_, std::move(answer), std::move(work));
}

void GatewayService::offer(WorkQueue& line, Answer answer, std::function<void()> work) {
  if (line.offer({std::move(work), {}})) return;
  answer.send(busy_reply({ErrorKind::Overloaded,
                          "too many requests wait for the disk already; try again in a moment", "overloaded"},
                         2));
}

void GatewayService::root(Request request, Answer answer) {
  if (auto* space = readers_.space()) space->wake();
  if (prefers_html(request.header("accept"))) return answer.send(asset_reply(request, kPage));
  auto reply = json_reply(
      200, {{"service", kService}, {"version", std::string(kVersion)}, {"endpoints", routes_.endpoints()}});
  reply.set_header("Vary", "Accept");
  answer.send(std::move(reply));
}

void GatewayService::health(Request, Answer answer) {
  answer.send(json_reply(200, {{"status", "ok"}, {"service", kService}}));
}

void GatewayService::ready(Request, Answer answer) {
  if (readers_.any() && !draining_) return answer.send(json_reply(200, {{"ready", true}}));
  const Error error{ErrorKind::Unavailable, draining_ ? "the gateway is shutting down" : readers_.advice(),
                    draining_ ? "shutting_down" : "no_reader"};
  auto reply = busy_reply(error, 5);
  auto body = error_json(error);
  body["ready"] = false;
  reply.body = to_text(body);
  answer.send(std::move(reply));
}

// With a Space exactly the three keys that the set-up guide shows.
void GatewayService::extract_status(Request, Answer answer) {
  if (auto* space = readers_.space()) space->wake();
  if (!settings_.space_url.empty())
    return answer.send(json_reply(200, {{"extraction_available", readers_.any()},
                                        {"mode", "remote"},
                                        {"hf_space_url", settings_.space_url}}));
  std::error_code ignored;
  answer.send(json_reply(
      200, {{"extraction_available", readers_.any()},
            {"mode", "local"},
            {"models_directory", settings_.models.string()},
            {"models_dir_exists", std::filesystem::is_directory(settings_.models, ignored)},
            {"model_files", model_files(settings_.models)},
            {"note", readers_.any() ? "HF_SPACE_URL is not configured: sheets are read here"
                                    : "HF_SPACE_URL is not configured, and " + readers_.advice()}}));
}

void GatewayService::status(Request, Answer answer) {
  elsewhere(answer, [this, answer] {
    Json body{{"service", kService},
              {"version", std::string(kVersion)},
              {"ready", readers_.any() && !draining_},
              {"policy", gateway::name_of(readers_.settings().policy)},
              {"reads_here", readers_.can_read_here()}};
    if (const auto* space = readers_.space()) {
      const auto view = space->view();
      body["space"] = {{"url", view.url},
                       {"state", gateway::name_of(view.state)},
                       {"why", view.why.empty() ? Json(nullptr) : Json(view.why)},
                       {"logs", view.logs},
                       {"circuit_open", view.circuit_open},
                       {"cold_starts", view.cold_starts}};
    } else if (!settings_.space_url.empty()) {
      body["space"] = {
          {"url", settings_.space_url}, {"state", "misconfigured"}, {"why", settings_.space_error}};
    } else {
      body["space"] = nullptr;
    }
    const auto counts = ledger_.counts();
    if (counts)
      body["sheets"] = {
          {"waiting", counts->waiting}, {"reading", counts->reading}, {"records", counts->records}};
    if (!counts) body["database_error"] = counts.error().message;
    body["storage"] = ledger_.shared()
                          ? "PostgreSQL holds records and files"
                          : "records and files live on this machine's disk: where disks vanish with a "
                            "restart, set DATABASE_URL";
    answer.send(json_reply(200, body));
  });
}

void GatewayService::metrics(Request, Answer answer) {
  elsewhere(answer, [this, answer] {
    auto reply = Reply{.content_type = "text/plain; version=0.0.4", .headers = {}};
    const auto counts = ledger_.counts().value_or(gateway::Counts());
    const auto view = readers_.space() != nullptr ? readers_.space()->view() : gateway::Space::View();
    reply.body =
        metrics_.text({{"alcove_requests_in_flight", "Requests without a reply yet.",
                        static_cast<double>(requests_in_flight())},
                       {"alcove_gateway_waiting", "Sheets that wait.", static_cast<double>(counts.waiting)},
                       {"alcove_gateway_reading", "Sheets being read.", static_cast<double>(counts.reading)},
                       {"alcove_gateway_records", "Records kept.", static_cast<double>(counts.records)},
                       {"alcove_space_awake", "1 when the Space answers.",
                        view.state == gateway::SpaceState::Awake ? 1.0 : 0.0},
                       {"alcove_space_cold_starts", "Times the Space was woken.",
                        static_cast<double>(view.cold_starts)},
                       {"alcove_space_cold_start_seconds", "What all of them took.", view.cold_start_seconds},
                       {"process_resident_memory_bytes", "Memory of this process.", resident_bytes()}}) +
        figures_.text();
    answer.send(std::move(reply));
  });
}

void GatewayService::extract(Request request, Answer answer) {
  take_sheet(std::move(request), std::move(answer), extract_answer);
}

void GatewayService::scan_upload(Request request, Answer answer) {
  take_sheet(std::move(request), std::move(answer), scan_upload_answer);
}

void GatewayService::take_sheet(Request request, Answer answer, MakeAnswer make) {
  if (request.content().size() > settings_.sheet_limit)
    return answer.send(error_reply(
        {ErrorKind::TooLarge, fmt::format("a sheet may have at most {} bytes", settings_.sheet_limit)}));
  // Held as long as the bytes are needed, which is until they are on the disk.
  const auto held = std::make_shared<const Request>(std::move(request));
  elsewhere(answer, [this, held, answer, make] { accept(*held, answer, make); });
}

void GatewayService::accept(const Request& request, const Answer& answer, MakeAnswer make) {
  const auto form = upload_of_form(request);
  const auto name = form ? gateway::harmless_name(form->file_name) : std::string();
  const auto refuse = [&](const Error& error) {
    auto reply = json_reply(http_status(error.kind), failed_json(error, "validation", name));
    reply.reason = code_of(error);
    answer.send(std::move(reply));
  };
  if (!form) return refuse(form.error());
  const auto upload = gateway::check_upload(form->file(), form->file_name, form->exam_type, form->password);
  if (!upload) return refuse(upload.error());
  const auto receipt = gateway_.accept(*upload);
  if (!receipt) return answer.send(database_reply(receipt.error()));
  if (!prefers_async(request)) return answer_when_recorded(*receipt, answer, make);
  auto reply = json_reply(202, {{"success", true},
                                {"status", "queued"},
                                {"artifact_uuid", receipt->uuid},
                                {"sha256", receipt->sha256},
                                {"location", "/records/" + receipt->uuid}});
  reply.set_header("Location", "/records/" + receipt->uuid);
  reply.set_header("Preference-Applied", "respond-async");
  answer.send(std::move(reply));
}

void GatewayService::answer_when_recorded(const gateway::Receipt& receipt, const Answer& answer,
                                          MakeAnswer make) {
  auto limit = readers_.settings().hold;
  if (readers_.can_read_here()) limit += kReadingHere;
  gateway_.when_recorded(receipt.uuid, limit,
                         [this, receipt, answer, make](const std::optional<gateway::Record>& record) {
                           if (!record) return answer.send(still_queued(receipt.uuid));
                           auto [status, body] = make(*record);
                           body["duplicate"] = receipt.known || record->workflow_status == "duplicate";
                           auto reply = json_reply(status, body);
                           reply.reason = record->error_code;
                           reply.set_header("Cache-Control", "no-store");
                           answer.send(std::move(reply));
                         });
}

Reply GatewayService::still_queued(const std::string& uuid) const {
  const Error error{ErrorKind::Unavailable,
                    "the sheet is safe and waits to be read, it need not be sent again; " + readers_.advice(),
                    "queued"};
  auto reply = busy_reply(error, 10);
  auto body = error_json(error);
  body["success"] = false;
  body["status"] = "queued";
  body["artifact_uuid"] = uuid;
  body["location"] = "/records/" + uuid;
  reply.body = to_text(body);
  reply.set_header("Location", "/records/" + uuid);
  return reply;
}

void GatewayService::scan_log(Request, Answer answer) {
  elsewhere(answer, [this, answer] {
    const auto records = ledger_.latest(kLogged);
    const auto counts = ledger_.counts();
    if (!records || !counts) return answer.send(database_reply(records ? counts.error() : records.error()));
    auto entries = Json::array();
    for (const auto& record : *records) entries.push_back(record_json(record));
    answer.send(json_reply(200, {{"entries", std::move(entries)}, {"total", counts->records}}));
  });
}

void GatewayService::records(Request request, Answer answer) {
  const auto asked = form_value(request.query, "limit").value_or("100");
  std::int64_t limit = 0;
  const auto [end, error] = std::from_chars(asked.data(), asked.data() + asked.size(), limit);
  if (error != std::errc() || end != asked.data() + asked.size() || limit < 1 || limit > kMostListed)
    return answer.send(error_reply(
        {ErrorKind::BadInput, fmt::format("limit has to be a number from 1 to {}", kMostListed)}));
  elsewhere(answer, [this, answer, limit] {
    const auto records = ledger_.latest(limit);
    if (!records) return answer.send(database_reply(records.error()));
    auto list = Json::array();
    for (const auto& record : *records) list.push_back(record_json(record));
    answer.send(json_reply(200, {{"records", std::move(list)}}));
  });
}

void GatewayService::record(Request request, Answer answer) {
  elsewhere(answer, [this, answer, uuid = request.parameter] {
    const auto record = ledger_.find(uuid);
    if (!record) return answer.send(database_reply(record.error()));
    if (*record) {
      auto body = record_json(**record);
      const auto reply = parse_json((*record)->reply);
      body["reply"] = reply ? *reply : Json(nullptr);
      return answer.send(json_reply(200, body));
    }
    const auto waiting = ledger_.is_waiting(uuid);
    if (!waiting) return answer.send(database_reply(waiting.error()));
    if (!*waiting) return answer.send(no_such_record());
    auto reply = json_reply(202, {{"artifact_uuid", uuid}, {"status", "queued"}});
    reply.set_header("Retry-After", "2");
    answer.send(std::move(reply));
  });
}

void GatewayService::with_file(WorkQueue& line, Request request, Answer answer, ReplyOf reply_of) {
  offer(line, answer, [this, answer, reply_of = std::move(reply_of), uuid = request.parameter] {
    const auto record = ledger_.find(uuid);
    if (!record) return answer.send(database_reply(record.error()));
    if (!*record) return answer.send(no_such_record());
    auto content = ledger_.content((*record)->sha256);
    if (!content) return answer.send(database_reply(content.error()));
    answer.send(reply_of(**record, *std::move(content)));
  });
}

void GatewayService::file(Request request, Answer answer) {
  with_file(intake_, std::move(request), std::move(answer),
            [](const gateway::Record& record, std::string content) {
              Reply reply{.body = std::move(content), .content_type = record.mime_type, .headers = {}};
              // A stranger's file: never a page of ours.
              reply.set_header("Content-Disposition", "attachment");
              reply.set_header("X-Content-Type-Options", "nosniff");
              return reply;
            });
}

// Under the name the record gives it.
void GatewayService::pdf(Request request, Answer answer) {
  const auto unnamed = request.parameter + ".pdf";
  with_file(looks_, std::move(request), std::move(answer),
            [this, unnamed](const gateway::Record& record, const std::string& content) {
              auto document = pictures_.pdf(as_bytes(content));
              if (!document && document.error().kind != ErrorKind::Unavailable)
                return error_reply({ErrorKind::Unsupported,
                                    fmt::format("no PDF can be made of it ({}); fetch it as it came from "
                                                "/records/{}/file",
                                                document.error().message, record.uuid),
                                    "no_pdf"});
              if (!document) return database_reply(document.error());
              Reply reply{.body = *std::move(document), .content_type = "application/pdf", .headers = {}};
              const auto& name = record.renamed_filename;
              reply.set_header("Content-Disposition",
                               fmt::format("attachment; filename=\"{}\"", name.empty() ? unnamed : name));
              reply.set_header("X-Content-Type-Options", "nosniff");
              return reply;
            });
}

void GatewayService::put_job(Request request, Answer answer) {
  const auto held = std::make_shared<const Request>(std::move(request));
  elsewhere(answer, [this, held, answer] { answer.send(jobs_.put(held)); });
}

void GatewayService::job(Request request, Answer answer) {
  elsewhere(answer, [this, answer, id = request.parameter] { answer.send(jobs_.show(id)); });
}

void GatewayService::job_events(Request request, Answer answer) {
  const auto held = std::make_shared<const Request>(std::move(request));
  elsewhere(answer, [this, held, answer] { jobs_.follow(*held, answer); });
}

}  // namespace alcove::api
