#include "api/status.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace alcove::api {
namespace {

struct Row {
  ErrorKind kind;
  int status;
  std::string_view code;  // where the error has none of its own
};

constexpr std::array kRows{
    Row{ErrorKind::BadInput, 400, "bad_request"},    Row{ErrorKind::NotFound, 404, "not_found"},
    Row{ErrorKind::TooLarge, 413, "too_large"},      Row{ErrorKind::Unreadable, 422, "unreadable"},
    Row{ErrorKind::Unsupported, 422, "unsupported"}, Row{ErrorKind::Overloaded, 429, "overloaded"},
    Row{ErrorKind::Unavailable, 503, "unavailable"}, Row{ErrorKind::Internal, 500, "internal"},
};

struct Outcome {
  int status;
  std::string_view word;
};

constexpr std::array kOutcomes{
    Outcome{400, "bad_request"}, Outcome{401, "unauthorized"}, Outcome{404, "not_found"},
    Outcome{405, "not_allowed"}, Outcome{408, "too_slow"},     Outcome{409, "conflict"},
    Outcome{413, "too_large"},   Outcome{422, "unreadable"},   Outcome{429, "overloaded"},
    Outcome{499, "client_gone"}, Outcome{500, "internal"},     Outcome{503, "unavailable"},
    Outcome{504, "too_late"},
};

const Row& row_of(ErrorKind kind) {
  const auto row = std::ranges::find(kRows, kind, &Row::kind);
  return row == kRows.end() ? kRows.back() : *row;
}

}  // namespace

int http_status(ErrorKind kind) { return row_of(kind).status; }

std::string_view code_of(const Error& error) {
  return error.code.empty() ? row_of(error.kind).code : error.code;
}

std::string_view outcome_of(int status) {
  const auto row = std::ranges::find(kOutcomes, status, &Outcome::status);
  if (row != kOutcomes.end()) return row->word;
  return status < 400 ? "ok" : "refused";
}

Json error_json(const Error& error) {
  Json json = Json::object();
  if (http_status(error.kind) == 422) {
    json["success"] = false;
    json["error"] = error.message;
  }
  json["detail"] = error.message;
  json["code"] = code_of(error);
  return json;
}

}  // namespace alcove::api
