#include "api/record_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/record_json.h"
#include "base/csv.h"

namespace alcove::api {
namespace {

// The columns of an export, as record_json() names them.
constexpr const char* kColumns[] = {"sha256",
                                    "original_filename",
                                    "renamed_filename",
                                    "register_number",
                                    "subject_code",
                                    "exam_type",
                                    "attempt_number",
                                    "workflow_status",
                                    "decision",
                                    "served_by",
                                    "margin",
                                    "register_confidence",
                                    "subject_confidence",
                                    "artifact_uuid",
                                    "duplicate_of",
                                    "reasons",
                                    "fallback",
                                    "milliseconds",
                                    "attempts",
                                    "error_code",
                                    "error",
                                    "size",
                                    "mime_type",
                                    "job",
                                    "pages",
                                    "accepted_at",
                                    "recorded_at"};

std::string cell_of(const Json& value) {
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : to_text(value);
}

// Spreadsheets run what begins like a formula; with a ' before it, it is text.
std::string defused(std::string cell) {
  if (!cell.empty() && std::string_view("=+-@\t\r").contains(cell.front())) cell.insert(0, 1, '\'');
  return cell;
}

}  // namespace

std::string csv_heading() { return fmt::format("{}\r\n", fmt::join(kColumns, ",")); }

std::string csv_line(const gateway::Record& record) {
  const auto json = record_json(record);
  std::vector<std::string> cells;
  for (const auto* column : kColumns) cells.push_back(defused(cell_of(json.at(column))));
  return csv_row(cells) + "\r\n";
}

}  // namespace alcove::api
