#include "api/status.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace alcove::api {
namespace {

struct Row {
  ErrorKind kind;
  int status;
};

constexpr std::array kRows{
    Row{ErrorKind::BadInput, 400},    Row{ErrorKind::NotFound, 404},    Row{ErrorKind::TooLarge, 413},
    Row{ErrorKind::Unreadable, 422},  Row{ErrorKind::Unsupported, 422}, Row{ErrorKind::Overloaded, 429},
    Row{ErrorKind::Unavailable, 503}, Row{ErrorKind::Internal, 500},
};

struct Outcome {
  int status;
  std::string_view word;
};

constexpr std::array kOutcomes{
    Outcome{200, "ok"},          Outcome{400, "bad_request"}, Outcome{401, "unauthorized"},
    Outcome{404, "not_found"},   Outcome{405, "not_allowed"}, Outcome{408, "too_slow"},
    Outcome{413, "too_large"},   Outcome{422, "unreadable"},  Outcome{429, "overloaded"},
    Outcome{499, "client_gone"}, Outcome{500, "internal"},    Outcome{503, "unavailable"},
};

}  // namespace

int http_status(ErrorKind kind) {
  const auto row = std::ranges::find(kRows, kind, &Row::kind);
  return row == kRows.end() ? 500 : row->status;
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
  if (!error.code.empty()) json["code"] = error.code;
  return json;
}

}  // namespace alcove::api
