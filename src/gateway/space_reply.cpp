#include "gateway/space_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace alcove::gateway {
namespace {

constexpr std::size_t kLongestValue = 32;  // a register number or subject code; the original's have up to 15

bool is_json(const net::Reply& reply) {
  return reply.header("content-type").value_or("").starts_with("application/json");
}

std::string lower(std::string_view text) {
  std::string made(text);
  for (auto& letter : made) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return made;
}

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string text_of(const Json& object, const char* name) {
  const auto* value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

bool is_value(const std::string& text) {
  return text.size() <= kLongestValue &&
         std::ranges::all_of(text, [](unsigned char letter) { return letter < 128 && std::isalnum(letter); });
}

// A confidence of 7, or one that is no number, is of a program that is not what it says it is.
std::optional<double> share(const Json* value) {
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const auto number = value->get<double>();
  if (!std::isfinite(number) || number < 0 || number > 1) return std::nullopt;
  return number;
}

struct Field {
  std::string value;
  std::optional<double> confidence;
  int regions = 0;
};

// Value and confidence belong together: the original took the first candidate's confidence for another one's
// value.
std::optional<Field> field_of(const Json& reply, const char* value_name, const char* candidates_name) {
  const auto* value = member(reply, value_name);
  const auto* candidates = member(reply, candidates_name);
  if (value == nullptr || !(value->is_string() || value->is_null())) return std::nullopt;
  if (candidates == nullptr || !candidates->is_array() || candidates->size() > 1000) return std::nullopt;
  Field field{value->is_string() ? value->get<std::string>() : std::string(),
              {},
              static_cast<int>(candidates->size())};
  if (!is_value(field.value)) return std::nullopt;
  for (const auto& candidate : *candidates) {
    const auto confidence = share(member(candidate, "confidence"));
    if (!confidence || !share(member(candidate, "detection_confidence"))) return std::nullopt;
    if (text_of(candidate, "value") != field.value || field.value.empty()) continue;
    field.confidence = std::max(field.confidence.value_or(0), *confidence);
  }
  // A value that no candidate has was not read off the sheet.
  if (!field.value.empty() && !field.confidence) return std::nullopt;
  return field;
}

std::optional<Outcome> reading_of(const Json& json, std::string_view text) {
  const auto* success = member(json, "success");
  if (success == nullptr || !success->is_boolean() || !success->get<bool>()) return std::nullopt;
  const auto number = field_of(json, "register_number", "register_candidates");
  const auto code = field_of(json, "subject_code", "subject_candidates");
  if (!number || !code) return std::nullopt;
  const auto* models = member(json, "models");
  const auto* reasons = member(json, "reasons");
  return Outcome{.reply = std::string(text),
                 .register_number = number->value,
                 .subject_code = code->value,
                 .register_confidence = number->confidence,
                 .subject_confidence = code->confidence,
                 .register_regions = number->regions,
                 .subject_regions = code->regions,
                 .models = models != nullptr && models->is_array() ? to_text(*models) : "[]",
                 .reasons = reasons != nullptr && reasons->is_array() ? to_text(*reasons) : "[]"};
}

// A refusal of the sheet says so in `detail`, or, the original's way, in `error` with status 200. A list in
// `detail` is how FastAPI complains about the request itself.
std::optional<Outcome> refusal_of(int status, const Json& json) {
  const auto* success = member(json, "success");
  const bool says_no = success != nullptr && success->is_boolean() && !success->get<bool>();
  const auto why = text_of(json, member(json, "detail") != nullptr ? "detail" : "error");
  const bool refused = (status == 200 && says_no) || status == 400 || status == 413 || status == 422;
  if (!refused || why.empty()) return std::nullopt;
  const auto code = text_of(json, "code");
  return Outcome{.error = Error{ErrorKind::Unreadable, why, code.empty() ? "unreadable" : code}};
}

Verdict misconfigured(std::string why, std::string reason) {
  return {SpaceState::Misconfigured, std::move(why), std::move(reason)};
}

}  // namespace

std::string_view name_of(Server server) {
  switch (server) {
    case Server::Remote: return "remote";
    case Server::Local: return "local";
    case Server::Nobody: break;
  }
  return "nobody";
}

std::string_view name_of(SpaceState state) {
  switch (state) {
    case SpaceState::Unknown: return "unknown";
    case SpaceState::Awake: return "awake";
    case SpaceState::Waking: return "waking";
    case SpaceState::Unreachable: return "unreachable";
    case SpaceState::Misconfigured: break;
  }
  return "misconfigured";
}

Verdict judge_failure(const Result<net::Reply>& reply, bool has_token) {
  if (!reply) {
    const auto& error = reply.error();
    return {SpaceState::Unreachable, error.message, error.code.empty() ? "bad_reply" : error.code};
  }
  const int status = reply->status;
  const auto reason = fmt::format("http_{}", status);
  if (status == 401 || status == 403)
    return misconfigured(
        has_token ? "the Space refuses the token: HF_SPACE_TOKEN has to be the Space's ALCOVE_TOKEN"
                  : "the Space asks for a token: set HF_SPACE_TOKEN to the Space's ALCOVE_TOKEN",
        reason);
  if (status >= 300 && status < 400)
    return misconfigured(
        fmt::format("the address sends elsewhere, to {}: set HF_SPACE_URL to the app's own address",
                    reply->header("location").value_or("nowhere")),
        reason);
  if (status == 404)
    return misconfigured(is_json(*reply)
                             ? "what answers at HF_SPACE_URL is not the answer-sheet service"
                             : "there is no such Space, or it is private: check HF_SPACE_URL, and set "
                               "HF_TOKEN for a private one",
                         reason);
  if (status == 502 || status == 503 || status == 504)
    return {SpaceState::Waking, fmt::format("the Space is starting (status {})", status), reason};
  if (status == 429) return {SpaceState::Awake, "the Space is full", "full"};
  if (status == 200 && !is_json(*reply))
    return misconfigured("what answers at HF_SPACE_URL is a web page, not the answer-sheet service", "html");
  if (status == 200) return {SpaceState::Unreachable, "the Space's answer is not a reading", "bad_reply"};
  return {SpaceState::Unreachable, fmt::format("the Space answers with status {}", status), reason};
}

Verdict judge_health(const Result<net::Reply>& reply, bool has_token) {
  if (!reply || reply->status != 200 || !is_json(*reply)) {
    auto verdict = judge_failure(reply, has_token);
    if (verdict.state == SpaceState::Awake) verdict.why.clear();
    return verdict;
  }
  const auto json = parse_json(reply->body);
  if (!json) return {SpaceState::Unreachable, "the Space's answer to /health is broken off", "bad_reply"};
  const auto service = lower(text_of(*json, "service"));
  if (text_of(*json, "status") != "ok" || service.find("answer") == std::string::npos)
    return misconfigured("what answers at HF_SPACE_URL is not the answer-sheet service", "other_service");
  return {SpaceState::Awake, {}, {}};
}

std::optional<Outcome> outcome_of_json(int status, std::string_view text) {
  const auto json = parse_json(text);
  if (!json || !json->is_object()) return std::nullopt;
  if (status == 200)
    if (auto reading = reading_of(*json, text)) return reading;
  return refusal_of(status, *json);
}

std::optional<Outcome> outcome_of_reply(const Result<net::Reply>& reply) {
  if (!reply || !is_json(*reply)) return std::nullopt;
  return outcome_of_json(reply->status, reply->body);
}

}  // namespace alcove::gateway
