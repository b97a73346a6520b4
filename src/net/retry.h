#pragma once
// Whether and when to ask again, as a pure rule, and a loop that follows it.

#include "net/http_client.h"

namespace alcove::net {

struct RetryRule {
  int tries = 5;                               // in all
  std::chrono::milliseconds first{1'000};      // before the second try; doubles from try to try
  std::chrono::milliseconds cap{8'000};        // where the doubling ends
  std::chrono::milliseconds patience{60'000};  // a server that asks for more than this gets no further try
};

struct Attempt {
  int number = 1;  // of the try that just ended, counted from one
  // A request of this kind does no harm when it arrives twice.
  bool repeatable = true;
  double chance = 0.5;  // in [0, 1): spreads the waits of many clients over half their length
  std::chrono::system_clock::time_point now;
};

// How long to wait before the next try; nothing when the outcome stands. Asked again is: what never arrived,
// and 429, for every request; broken and late replies, 408, 500, 502, 503 and 504 for repeatable ones.
std::optional<std::chrono::milliseconds> wait_before_retry(const RetryRule& rule, const Attempt& attempt,
                                                           const Result<Reply>& outcome);

// What a server asks for: `Retry-After` in seconds or as a date, or `RateLimit: …;r=0;t=SECONDS`.
std::optional<std::chrono::milliseconds> asked_wait(const Reply& reply,
                                                    std::chrono::system_clock::time_point now);

bool is_repeatable(const Request& request);  // by its method, or because it says so

// Sends until the rule is content; waits end early when the request's stop token is set. What a sink has
// seen is not taken back: a request whose sink got bytes is not sent again.
Result<Reply> send_patiently(const Client& client, Request request, const RetryRule& rule = {});

// Sleeps; false when the stop token was set meanwhile.
bool wait_for(std::chrono::milliseconds time, const std::stop_token& stop);

}  // namespace alcove::net
