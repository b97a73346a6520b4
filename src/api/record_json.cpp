#include "api/record_json.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "api/status.h"
#include "gateway/clock.h"

namespace alcove::api {
namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }
// Of the stack it was cut out of: "3-6".
Json pages_of(const gateway::Record& record) {
  if (record.first_page == 0) return nullptr;
  return fmt::format("{}-{}", record.first_page, record.last_page);
}
Json share_or_null(std::optional<double> share) {
  return share ? Json(std::round(*share * 1e4) / 1e4) : Json(nullptr);
}

// Kept as JSON text in the ledger, where we wrote it.
Json list_of(const std::string& text) {
  auto list = parse_json(text);
  return list && list->is_array() ? *std::move(list) : Json::array();
}

void add_reading(Json& json, const gateway::Record& record) {
  json["register_number"] = text_or_null(record.register_number);
  json["register_confidence"] = share_or_null(record.register_confidence);
  json["subject_code"] = text_or_null(record.subject_code);
  json["subject_confidence"] = share_or_null(record.subject_confidence);
}

void add_service(Json& json, const gateway::Record& record) {
  json["served_by"] = record.served_by;
  json["fallback"] = text_or_null(record.fallback);
  json["milliseconds"] = std::round(record.milliseconds * 10) / 10;
  json["attempts"] = record.attempts;
  json["models"] = list_of(record.models);
  json["reasons"] = list_of(record.reasons);
}

void add_place(Json& json, const gateway::Record& record) {
  json["exam_type"] = record.exam_type;
  json["artifact_uuid"] = record.uuid;
  json["attempt_number"] = record.attempt_number;
  json["workflow_status"] = record.workflow_status;
  json["duplicate_of"] = text_or_null(record.duplicate_of);
  if (record.first_page > 0) json["pages"] = pages_of(record);
}

// What the contract calls read but not extractable; the kind is that of a 422.
RecordAnswer not_extractable(const gateway::Record& record) {
  Error error{ErrorKind::Unreadable, record.error, record.error_code};
  if (record.error.empty()) {
    const auto* missing = !record.register_number.empty() ? "no subject code"
                          : !record.subject_code.empty()  ? "no register number"
                                                          : "neither a register number nor a subject code";
    error = {ErrorKind::Unreadable, fmt::format("{} was found on the sheet; it is kept for review", missing),
             "not_extractable"};
  }
  auto body = failed_json(error, "extraction", record.original_filename);
  add_reading(body, record);
  add_place(body, record);
  add_service(body, record);
  return {422, std::move(body)};
}

}  // namespace

Json failed_json(const Error& error, std::string_view stage, std::string_view original_filename) {
  Json json{{"success", false},
            {"error", error.message},
            {"stage", stage},
            {"original_filename", original_filename}};
  json.update(error_json(error));
  return json;
}

Json record_json(const gateway::Record& record) {
  Json json{{"sha256", record.sha256},
            {"original_filename", record.original_filename},
            {"renamed_filename", text_or_null(record.renamed_filename)}};
  add_reading(json, record);
  add_place(json, record);
  json["decision"] = text_or_null(record.decision);
  json["margin"] = record.margin.empty() ? Json(nullptr) : Json(record.margin);
  json["roster_candidates"] = list_of(record.roster_candidates);
  add_service(json, record);
  json["error"] = text_or_null(record.error);
  json["error_code"] = text_or_null(record.error_code);
  json["size"] = record.size;
  json["mime_type"] = record.mime_type;
  json["job"] = text_or_null(record.batch);
  json["pages"] = pages_of(record);
  json["accepted_at"] = gateway::iso_time(record.accepted_at);
  json["recorded_at"] = gateway::iso_time(record.recorded_at);
  return json;
}

RecordAnswer extract_answer(const gateway::Record& record) {
  if (!record.error.empty() || (record.register_number.empty() && record.subject_code.empty()))
    return not_extractable(record);
  Json json{{"success", true}};
  add_reading(json, record);
  json["regions_found"] = {{"register", record.register_regions}, {"subject", record.subject_regions}};
  json["suggested_filename"] =
      record.renamed_filename.empty()
          ? Json(nullptr)
          : Json(fmt::format("{}_{}.pdf", record.register_number, record.subject_code));
  add_place(json, record);
  add_service(json, record);
  return {200, std::move(json)};
}

RecordAnswer scan_upload_answer(const gateway::Record& record) {
  if (!record.error.empty() || record.renamed_filename.empty()) return not_extractable(record);
  Json json{{"success", true},
            {"original_filename", record.original_filename},
            {"renamed_filename", record.renamed_filename}};
  add_reading(json, record);
  add_place(json, record);
  add_service(json, record);
  return {200, std::move(json)};
}

}  // namespace alcove::api
