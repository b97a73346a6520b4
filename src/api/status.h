#pragma once
// The one table from our errors to HTTP.

#include "base/json.h"

namespace alcove::api {

int http_status(ErrorKind kind);

// What a status is called in metrics: "ok", "refused", "unreadable", "too_large", "overloaded", …
std::string_view outcome_of(int status);

// The error's code, or the one of its kind: "bad_request", "not_found", "unreadable", …
std::string_view code_of(const Error& error);

// `detail`, the sentence, and `code`. Content that could not be read (422) also carries `success:
// false` and `error`, the two keys the original sends for it.
Json error_json(const Error& error);

}  // namespace alcove::api
