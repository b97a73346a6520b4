#include "api/office_json.h"

#include <nlohmann/json.hpp>

namespace alcove::api {
namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json key_json(const gateway::ExamKey& exam) {
  return {
      {"exam_type", exam.exam_type}, {"subject_code", exam.subject_code}, {"attempt_number", exam.attempt}};
}

// The few keys of a list's row, out of everything there is to say about a record.
Json some_of(const gateway::Record& record, std::initializer_list<const char*> keys) {
  const auto all = record_json(record);
  Json some;
  for (const auto* key : keys) some[key] = all.at(key);
  return some;
}

}  // namespace

Json queue_json(const gateway::Record& record, const std::optional<gateway::Hold>& held) {
  auto json = some_of(record, {"artifact_uuid", "register_number", "subject_code", "exam_type",
                               "attempt_number", "original_filename", "decision", "reasons"});
  json["held_by"] = held ? Json(held->who) : Json(nullptr);
  return json;
}

Json sheet_json(const gateway::Record& record, const std::optional<gateway::GivenAnswer>& answered) {
  auto json = record_json(record);
  json["version"] = answered ? answered->number : 0;
  json["answered_by"] = answered ? Json(answered->who) : Json(nullptr);
  const auto reply = parse_json(record.reply).value_or(Json::object());
  for (const auto* key : {"page", "orientation", "skew", "boxes", "advice"}) json[key] = member(reply, key);
  // What the matching needs is a kilobyte a box, and of no use on a screen.
  if (json["boxes"].is_array())
    for (auto& box : json["boxes"])
      if (box.is_object()) box.erase("posteriors");
  return json;
}

Json exams_json(const std::vector<gateway::ExamCounts>& exams) {
  auto list = Json::array();
  for (const auto& each : exams) {
    list.push_back(key_json(each.exam));
    list.back().update({{"papers", each.papers},
                        {"accepted", each.accepted},
                        {"review", each.review},
                        {"rejected", each.rejected}});
  }
  return {{"exams", std::move(list)}};
}

Json people_json(const std::vector<gateway::Person>& people) {
  auto list = Json::array();
  for (const auto& each : people)
    list.push_back({{"register_number", each.register_number}, {"name", each.name}});
  return list;
}

Json exam_json(const gateway::ExamOverview& overview) {
  auto json = key_json(overview.exam);
  auto& papers = json["papers"] = Json::array();
  for (const auto& record : overview.papers) {
    papers.push_back(
        some_of(record, {"artifact_uuid", "register_number", "decision", "workflow_status", "reasons",
                         "original_filename", "renamed_filename", "duplicate_of", "error"}));
    const auto name = overview.names.find(record.register_number);
    papers.back()["name"] = name == overview.names.end() ? Json(nullptr) : text_or_null(name->second);
    papers.back()["listed"] = name != overview.names.end();
  }
  json["listed"] = overview.names.size();
  json["absent"] = people_json(overview.absent);
  json["absent_in_all"] = overview.absent_in_all;
  auto& pairs = json["pairs"] = Json::array();
  for (const auto& pair : overview.pairs)
    pairs.push_back({{"register_number", pair.person.register_number},
                     {"name", pair.person.name},
                     {"artifact_uuid", pair.uuid}});
  return json;
}

Json import_json(const sheets::Findings& findings, std::size_t entries, std::string_view encoding,
                 std::int64_t version) {
  auto all = Json::array();
  for (const auto& finding : findings.list)
    all.push_back({{"line", finding.line},
                   {"left_out", finding.severity == sheets::Severity::LeftOut},
                   {"code", finding.code},
                   {"message", finding.message}});
  return {{"version", version == 0 ? Json(nullptr) : Json(version)},
          {"entries", entries},
          {"left_out", findings.left_out},
          {"encoding", encoding},
          {"findings", std::move(all)},
          {"unlisted_findings", findings.unlisted}};
}

}  // namespace alcove::api
