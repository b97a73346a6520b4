#include "api/office_routes.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "api/office_json.h"
#include "api/status.h"
#include "base/sha256.h"

namespace alcove::api {
namespace {

constexpr std::int64_t kMostQueued = 500;  // shown at once: more wait behind them
constexpr std::size_t kMostFound = 8;
constexpr std::string_view kNobody = "office";  // who answered, where nobody is asked for a name

Reply failed(const Error& error) {
  if (error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Overloaded)
    return busy_reply(error, 5);
  return error.code == "answered_meanwhile" ? error_reply(error, 409) : error_reply(error);
}

Reply no_such_record() {
  return error_reply({ErrorKind::NotFound, "there is no such record", "no_such_record"});
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

std::string who(const Request& request) { return request.who.empty() ? std::string(kNobody) : request.who; }

std::string asked(const Request& request, std::string_view name) {
  return form_value(request.query, name).value_or(std::string());
}

}  // namespace

Route OfficeRoutes::route(Method method, std::string path, Work work) {
  return {method, std::move(path), Access::Guarded, [this, work](Request request, Answer answer) {
            const auto held = std::make_shared<const Request>(std::move(request));
            elsewhere_(answer, [this, work, held, answer] { answer.send((this->*work)(*held)); });
          }};
}

std::vector<Route> OfficeRoutes::routes() {
  return {
      route(Method::Get, "/review", &OfficeRoutes::queue),
      route(Method::Get, "/review/{uuid}", &OfficeRoutes::sheet),
      route(Method::Post, "/review/{uuid}", &OfficeRoutes::answer),
      route(Method::Post, "/review/{uuid}/hold", &OfficeRoutes::hold),
      route(Method::Get, "/records/{uuid}/page", &OfficeRoutes::picture),
      route(Method::Get, "/exams", &OfficeRoutes::exams),
      route(Method::Get, "/exam", &OfficeRoutes::exam),
      route(Method::Get, "/people", &OfficeRoutes::people),
      route(Method::Post, "/roster", &OfficeRoutes::roster),
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
  const auto body = parse_json(request.body);
  if (!body) return error_reply(body.error());
  const auto ruling = gateway::parse_ruling(text_at(*body, "verdict"));
  if (!ruling)
    return error_reply({ErrorKind::BadInput,
                        "verdict has to be belongs, unlisted, blank, duplicate or withdrawn", "no_verdict"});
  const auto& version = member(*body, "version");
  const auto number =
      desk_.answer({.uuid = request.parameter,
                    .who = who(request),
                    .ruling = *ruling,
                    .answer = {text_at(*body, "register_number"), text_at(*body, "subject_code")}},
                   version.is_number_unsigned() ? std::optional(version.get<std::int64_t>()) : std::nullopt);
  if (!number) return failed(number.error());
  return private_reply({{"version", *number}});
}

Reply OfficeRoutes::hold(const Request& request) {
  const auto body = parse_json(request.body);
  if (!body) return error_reply(body.error());
  const auto reviewer = text_at(*body, "reviewer");
  if (!is_sound_id(reviewer))
    return error_reply({ErrorKind::BadInput, "reviewer has to name the window that asks", "no_reviewer"});
  const auto other = desk_.hold(request.parameter, reviewer, who(request));
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
  gateway::ExamKey key{asked(request, "exam_type"), asked(request, "subject_code"), 1};
  const auto attempt = asked(request, "attempt");
  if (!attempt.empty()) std::from_chars(attempt.data(), attempt.data() + attempt.size(), key.attempt);
  const auto overview = desk_.exam(key);
  return overview ? private_reply(exam_json(*overview)) : failed(overview.error());
}

Reply OfficeRoutes::people(const Request& request) {
  const auto text = asked(request, "q");
  if (text.empty()) return private_reply({{"people", Json::array()}});
  const auto found = desk_.people(text, kMostFound);
  return found ? private_reply({{"people", people_json(*found)}}) : failed(found.error());
}

Reply OfficeRoutes::roster(const Request& request) {
  const auto content = as_bytes(request.body);
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

}  // namespace alcove::api
