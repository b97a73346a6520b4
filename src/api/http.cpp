#include "api/http.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "api/status.h"

namespace alcove::api {
namespace {

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter; }

int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char letter = lower(digit);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// The value at the start of `text`, up to `;` or, quoted, up to the closing quote with backslashes taken off.
std::string parameter_value(std::string_view text) {
  if (text.empty() || text.front() != '"') return std::string(trimmed(text.substr(0, text.find(';'))));
  std::string value;
  for (std::size_t i = 1; i < text.size() && text[i] != '"'; ++i) {
    // Browsers leave backslashes as they are and escape only quotes.
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
    value += text[i];
  }
  return value;
}

// Where the parameter that starts at `text` ends: past its `;`, those inside quotes not counted.
std::size_t after_parameter(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (text[i] == ';' && !quoted)
      return i + 1;
  }
  return text.size();
}

}  // namespace

std::string_view name_of(Method method) {
  constexpr std::array<std::string_view, 7> kNames{"GET",   "POST",    "PUT",  "DELETE",
                                                   "PATCH", "OPTIONS", "OTHER"};
  return kNames[static_cast<std::size_t>(method)];
}

bool is_sound_id(std::string_view id) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !id.empty() && id.size() <= 128 && id.find_first_not_of(kAllowed) == std::string_view::npos;
}

Bytes Request::content() const { return spooled ? spooled->content() : as_bytes(body); }

std::string_view Request::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_case_name) return value;
  return {};
}

Reply json_reply(int status, const Json& json) {
  return {.status = status, .body = to_text(json), .headers = {}};
}

Reply error_reply(const Error& error) { return error_reply(error, http_status(error.kind)); }

Reply error_reply(const Error& error, int status) {
  auto reply = json_reply(status, error_json(error));
  reply.reason = code_of(error);
  return reply;
}

Reply busy_reply(const Error& error, int retry_after_seconds) {
  auto reply = error_reply(error);
  reply.set_header("Retry-After", std::to_string(std::max(1, retry_after_seconds)));
  return reply;
}

void Reply::set_header(std::string name, std::string value) {
  headers.emplace_back(std::move(name), std::move(value));
}

std::optional<std::string_view> match_route(std::string_view pattern, std::string_view path) {
  const char *first = path.data(), *last = path.data();  // of the values
  bool has_value = false;
  while (true) {
    const auto wanted = pattern.substr(0, pattern.find('/'));
    const auto given = path.substr(0, path.find('/'));
    const bool is_value = wanted.starts_with('{');
    if (is_value ? given.empty() : wanted != given) return std::nullopt;
    if (is_value) {
      if (!std::exchange(has_value, true)) first = given.data();
      last = given.data() + given.size();
    }
    const bool ends = wanted.size() == pattern.size();
    if (ends != (given.size() == path.size())) return std::nullopt;
    if (ends) return has_value ? std::string_view(first, last) : std::string_view();
    pattern.remove_prefix(wanted.size() + 1);
    path.remove_prefix(given.size() + 1);
  }
}

std::string percent_decoded(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      decoded += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  return decoded;
}

std::vector<std::string> form_values(std::string_view query, std::string_view name) {
  std::vector<std::string> values;
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (percent_decoded(pair.substr(0, equals), true) != name) continue;
    values.push_back(equals == std::string_view::npos ? std::string()
                                                      : percent_decoded(pair.substr(equals + 1), true));
  }
  return values;
}

std::optional<std::string> form_value(std::string_view query, std::string_view name) {
  auto values = form_values(query, name);
  return values.empty() ? std::nullopt : std::optional(std::move(values.front()));
}

std::string media_type(std::string_view content_type) {
  std::string type(trimmed(content_type.substr(0, content_type.find(';'))));
  std::ranges::transform(type, type.begin(), lower);
  return type;
}

std::optional<std::string> header_parameter(std::string_view header, std::string_view name) {
  for (auto rest = header.substr(after_parameter(header)); !rest.empty();
       rest = rest.substr(after_parameter(rest))) {
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    if (equal_ignoring_case(trimmed(rest.substr(0, equals)), name))
      return parameter_value(trimmed(rest.substr(equals + 1)));
  }
  return std::nullopt;
}

bool prefers_html(std::string_view accept) {
  const auto html = accept.find("text/html");
  return html != std::string_view::npos && html < accept.find("application/json");
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace alcove::api
