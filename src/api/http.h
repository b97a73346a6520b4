#pragma once
// A request and its reply as plain values, so that routes are tested without sockets.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/spool.h"
#include "api/trace.h"
#include "base/json.h"

namespace alcove::api {

enum class Method { Get, Post, Put, Delete, Patch, Options, Other };
std::string_view name_of(Method method);

struct Request {
  Method method = Method::Get;
  std::string path = "/";                                    // percent-decoded
  std::string parameter;                                     // what stands for `{…}` in its route
  std::string query;                                         // as it came, without `?`
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;                                          // empty where `spooled` has it
  std::shared_ptr<const Spool> spooled;                      // a body that was too large for memory
  std::string id;  // the caller's x-request-id when it is a sound one, else ours
  Trace trace;
  std::optional<std::uint64_t> declared_length;  // Content-Length
  double receive_seconds = 0;                    // from its head to its last byte
  std::shared_ptr<const void> memory;            // the body's share of the server's upload memory

  Bytes content() const;                                            // the body, wherever it lies
  std::string_view header(std::string_view lower_case_name) const;  // empty when absent
};

struct Reply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string reason;  // an error's code, for metrics and logs

  void set_header(std::string name, std::string value);
};

Reply json_reply(int status, const Json& json);
Reply error_reply(const Error& error);
Reply error_reply(const Error& error, int status);  // where the kind alone does not say the status
// Full or not ready: with Retry-After, so that a client knows when to come back. At least one second.
Reply busy_reply(const Error& error, int retry_after_seconds);

// 1 to 128 letters, digits, dots, dashes and underscores: what a caller may name a request or a job.
bool is_sound_id(std::string_view id);

// Whether `path` fits `pattern`, one segment of which may be `{name}`; gives what stands there, empty without
// one.
std::optional<std::string_view> match_route(std::string_view pattern, std::string_view path);

// %41 and, in a query or form, + for a space. A stray % stands for itself.
std::string percent_decoded(std::string_view text, bool plus_is_space = false);

// The first value of `name` in `a=1&b=2`; decoded.
std::optional<std::string> form_value(std::string_view query, std::string_view name);
// All of them, in order.
std::vector<std::string> form_values(std::string_view query, std::string_view name);

// The media type in lower case without parameters, and one parameter, unquoted: `multipart/form-data;
// boundary="x"`.
std::string media_type(std::string_view content_type);
std::optional<std::string> header_parameter(std::string_view header, std::string_view name);

// Whether an Accept header asks for HTML before JSON, as browsers do and clients do not.
bool prefers_html(std::string_view accept);

// The same time for every pair of texts of one length: a token is not found out letter by letter.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// Without blanks and line ends around it.
std::string_view trimmed(std::string_view text);

bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace alcove::api
