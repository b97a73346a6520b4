#include "api/office_routes.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "api/office_json.h"
#include "api/record_table.h"
#include "api/status.h"
#include "base/log.h"
#include "base/sha256.h"
#include "gateway/archive.h"

namespace alcove::api {
namespace {

constexpr std::int64_t kMostQueued = 500;  // shown at once: more wait behind them
constexpr std::size_t kMostFound = 8;

Reply failed(const Error& error) {
  if (error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Overloaded)
    return busy_reply(error, 5);
  return error.code == "answered_meanwhile" ? error_reply(error, 409) : error_reply(error);
}

// Personal: nobody between here and the browser keeps it.
Reply private_reply(const Json& json) {
  auto reply = json_reply(200, json);
  reply.set_header("Cache-Control", "no-store");
  return reply;
}

std::string text_at(const Json& json, const char* name) {
  const auto& value = member(json, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string asked(const Request& request, std::string_view name) {
  return form_value(request.query, name).value_or(std::string());
}

gateway::ExamKey exam_asked(const Request& request) {
  gateway::ExamKey key{asked(request, "exam_type"), asked(request, "subject_code"), 1};
  const auto attempt = asked(request, "attempt");
  if (!attempt.empty()) std::from_chars(attempt.data(), attempt.data() + attempt.size(), key.attempt);
  return key;
}

// Letters, digits, dashes and underscores of it: what a header may hold.
std::string harmless(std::string text) {
  std::erase_if(text, [](char c) {
    return !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
             c == '_');
  });
  return text;
}

bool is_archive(std::string_view format) { return format == "zip" || format == "moodle"; }

}  // namespace

Reply no_such_record() {
  return error_reply({ErrorKind::NotFound, "there is no such record", "no_such_record"});
}

Route OfficeRoutes::route(Method method, std::string path, Work work, Service::Line Service::* line) {
  return {method, std::move(path), Access::Guarded, [this, work, line](Request request, Answer answer) {
            const auto held = std::make_shared<const Request>(std::move(request));
            (service_.*line)(answer, [this, work, held, answer] { answer.send((this->*work)(*held)); });
          }};
}

std::vector<Route> OfficeRoutes::routes() {
  return {
      route(Method::Get, "/review", &OfficeRoutes::queue),
      route(Method::Get, "/review/{uuid}", &OfficeRoutes::sheet),
      route(Method::Post, "/review/{uuid}", &OfficeRoutes::answer),
      route(Method::Post, "/review/{uuid}/hold", &OfficeRoutes::hold),
      route(Method::Get, "/records/{uuid}/page", &OfficeRoutes::picture, &Service::looking),
      route(Method::Get, "/exams", &OfficeRoutes::exams),
      route(Method::Get, "/exam", &OfficeRoutes::exam),
      route(Method::Get, "/people", &OfficeRoutes::people),
      route(Method::Post, "/roster", &OfficeRoutes::roster),
      {Method::Get, "/export", Access::Guarded,
       [this](Request request, Answer answer) {
         // Only an archive goes out at its caller's pace.
         const auto& line = is_archive(asked(request, "format")) ? service_.at_leisure : service_.elsewhere;
         const auto held = std::make_shared<const Request>(std::move(request));
         line(answer, [this, held, answer] { take_out(*held, answer); });
       }},
  };
}

Reply OfficeRoutes::queue(const Request& request) {
  const auto records = desk_.queue(kMostQueued);
  if (!records) return failed(records.error());
  const auto reviewer = asked(request, "reviewer");
  auto items = Json::array();
  for (const auto& record : *records)
    items.push_back(queue_json(record, desk_.holder(record.uuid, reviewer)));
  return private_reply({{"waiting", items.size()}, {"items", std::move(items)}});
}

Reply OfficeRoutes::sheet(const Request& request) {
  const auto record = ledger_.find(request.parameter);
  if (!record) return failed(record.error());
  if (!*record) return no_such_record();
  const auto answered = desk_.answer_about(request.parameter);
  if (!answered) return failed(answered.error());
  auto json = sheet_json(**record, *answered);
  // The paper that has a name already is shown beside the name.
  const gateway::ExamKey exam{(*record)->exam_type, (*record)->subject_code, (*record)->attempt_number};
  for (auto& candidate : json["roster_candidates"]) {
    const auto holder = ledger_.holder_of(text_at(candidate, "register_number"), exam);
    if (!holder) return failed(holder.error());
    const bool is_other = !holder->empty() && *holder != request.parameter;
    candidate["taken_by"] = is_other ? Json(*holder) : Json(nullptr);
  }
  const auto held = desk_.holder(request.parameter, asked(request, "reviewer"));
  json["held_by"] = held ? Json(held->who) : Json(nullptr);
  return private_reply(json);
}

Reply OfficeRoutes::answer(const Request& request) {
  const auto body = parse_json(as_text(request.content()));
  if (!body) return error_reply(body.error());
  const auto ruling = gateway::parse_ruling(text_at(*body, "verdict"));
  if (!ruling)
    return error_reply({ErrorKind::BadInput,
                        "verdict has to be belongs, unlisted, blank, duplicate or withdrawn", "no_verdict"});
  const auto& version = member(*body, "version");
  const auto number =
      desk_.answer({.uuid = request.parameter,
                    .who = service_.who(request),
                    .ruling = *ruling,
                    .answer = {text_at(*body, "register_number"), text_at(*body, "subject_code")}},
                   version.is_number_unsigned() ? std::optional(version.get<std::int64_t>()) : std::nullopt);
  if (!number) return failed(number.error());
  return private_reply({{"version", *number}});
}

Reply OfficeRoutes::hold(const Request& request) {
  const auto body = parse_json(as_text(request.content()));
  if (!body) return error_reply(body.error());
  const auto reviewer = text_at(*body, "reviewer");
  if (!is_sound_id(reviewer))
    return error_reply({ErrorKind::BadInput, "reviewer has to name the window that asks", "no_reviewer"});
  const auto other = desk_.hold(request.parameter, reviewer, service_.who(request));
  if (!other) return private_reply({{"seconds", gateway::kHold.count()}});
  return error_reply({ErrorKind::BadInput, fmt::format("{} is looking at this sheet", other->who), "held"},
                     409);
}

Reply OfficeRoutes::picture(const Request& request) {
  const auto record = ledger_.find(request.parameter);
  if (!record) return failed(record.error());
  if (!*record) return no_such_record();
  const auto content = ledger_.content((*record)->sha256);
  if (!content) return failed(content.error());
  auto picture = pictures_.picture(as_bytes(*content), parse_json((*record)->reply).value_or(Json::object()));
  if (!picture) return failed(picture.error());
  Reply reply{.body = *std::move(picture), .content_type = "image/jpeg", .headers = {}};
  reply.set_header("Cache-Control", "no-store");
  return reply;
}

Reply OfficeRoutes::exams(const Request&) {
  const auto exams = ledger_.exams();
  return exams ? private_reply(exams_json(*exams)) : failed(exams.error());
}

Reply OfficeRoutes::exam(const Request& request) {
  const auto overview = desk_.exam(exam_asked(request));
  return overview ? private_reply(exam_json(*overview)) : failed(overview.error());
}

Reply OfficeRoutes::people(const Request& request) {
  const auto text = asked(request, "q");
  if (text.empty()) return private_reply({{"people", Json::array()}});
  const auto found = desk_.people(text, kMostFound);
  return found ? private_reply({{"people", people_json(*found)}}) : failed(found.error());
}

Reply OfficeRoutes::roster(const Request& request) {
  const auto content = request.content();
  const auto roster = sheets::import_roster(content);
  if (!roster) return error_reply(roster.error());
  std::int64_t version = 0;
  if (asked(request, "preview") != "1") {
    const auto name = asked(request, "name");
    const auto kept = desk_.keep(*roster, name.empty() ? "class list" : name, sha256_hex(content));
    if (!kept) return failed(kept.error());
    version = kept->number;
  }
  return private_reply(import_json(roster->findings, roster->entries.size(), roster->encoding, version));
}

void OfficeRoutes::take_out(const Request& request, const Answer& answer) {
  const auto format = asked(request, "format");
  const bool archive = is_archive(format);
  if (!archive && format != "csv" && format != "jsonl")
    return answer.send(
        error_reply({ErrorKind::BadInput, "format has to be csv, jsonl, zip or moodle", "no_format"}));
  const auto overview = desk_.exam(exam_asked(request));
  if (!overview) return answer.send(failed(overview.error()));
  const auto& exam = overview->exam;
  Reply head{.content_type = archive           ? "application/zip"
                             : format == "csv" ? "text/csv; charset=utf-8"
                                               : "application/jsonl",
             .headers = {}};
  head.set_header("Cache-Control", "no-store");
  head.set_header("Content-Disposition",
                  fmt::format("attachment; filename=\"{}.{}\"",
                              harmless(fmt::format("{}_{}_{}", exam.subject_code, exam.exam_type,
                                                   format == "moodle" ? "moodle" : "sheets")),
                              archive ? "zip" : format));
  if (!archive) {
    if (format == "csv") head.body = csv_heading();
    for (const auto& record : overview->papers)
      head.body += format == "csv" ? csv_line(record) : to_text(record_json(record)) + '\n';
    return answer.send(std::move(head));
  }
  const auto people = desk_.participants();
  if (!people) return answer.send(failed(people.error()));
  const auto out = answer.stream(std::move(head));
  // What went wrong half-way cannot be said any more; an archive without its end is seen to be none.
  const auto written = gateway::write_archive(
      overview->papers, format == "moodle" ? &*people : nullptr,
      {.ledger = ledger_,
       .to_pdf = [this](Bytes file) { return pictures_.pdf(file); },
       .sink = [&](std::string_view piece) { return out->has_room() && out->send(piece); }});
  if (!written) log(LogLevel::Error, "export_failed", {{"error", written.error().message}});
  out->end();
}

}  // namespace alcove::api
