#include "net/retry.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <random>

namespace alcove::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

std::optional<long> whole_number(std::string_view text) {
  long value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  // A year is more than anybody waits, and keeps the arithmetic from overflowing.
  if (failed != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return std::min(value, 366L * 24 * 3600);
}

// `"api";r=0;t=55`: seconds until the window opens again; nothing while something remains.
std::optional<long> rate_limit(std::string_view text) {
  const auto value_of = [&](std::string_view key) -> std::optional<long> {
    const auto at = text.find(key);
    if (at == std::string_view::npos) return std::nullopt;
    const auto value = text.substr(at + key.size());
    return whole_number(value.substr(0, value.find_first_of(";, ")));
  };
  if (value_of(";r=") != 0) return std::nullopt;
  return value_of(";t=");
}

bool worth_repeating(int status) {
  constexpr int kTransient[] = {408, 500, 502, 503, 504};
  return std::ranges::find(kTransient, status) != std::end(kTransient);
}

bool worth_repeating(const Error& error) {
  constexpr std::string_view kTransient[] = {"not_connected", "no_answer", "cut", "timeout"};
  return std::ranges::find(kTransient, error.code) != std::end(kTransient);
}

}  // namespace

std::optional<milliseconds> asked_wait(const Reply& reply, system_clock::time_point now) {
  if (const auto limit = reply.header("ratelimit"))
    if (const auto wait = rate_limit(*limit)) return seconds(*wait + 1);
  const auto after = reply.header("retry-after");
  if (!after) return std::nullopt;
  if (const auto wait = whole_number(*after)) return seconds(*wait);
  const auto date = curl_getdate(std::string(*after).c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(system_clock::from_time_t(date) - now));
}

std::optional<milliseconds> wait_before_retry(const RetryRule& rule, const Attempt& attempt,
                                              const Result<Reply>& outcome) {
  if (attempt.number >= rule.tries) return std::nullopt;
  const bool again = outcome
                         ? outcome->status == 429 || (attempt.repeatable && worth_repeating(outcome->status))
                         : outcome.error().code == "not_connected" ||
                               (attempt.repeatable && worth_repeating(outcome.error()));
  if (!again) return std::nullopt;
  if (outcome)
    if (const auto asked = asked_wait(*outcome, attempt.now)) {
      if (*asked > rule.patience) return std::nullopt;
      return asked;
    }
  // 2^20 first waits are days; the cap is reached long before.
  const auto doubled = rule.first * (1L << std::min(attempt.number - 1, 20));
  const auto full = std::min<milliseconds>(doubled, rule.cap);
  return milliseconds(static_cast<long>(static_cast<double>(full.count()) * (0.5 + attempt.chance / 2)));
}

bool is_repeatable(const Request& request) {
  return request.repeatable || (request.method != "POST" && request.method != "PATCH");
}

bool wait_for(milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

Result<Reply> send_patiently(const Client& client, Request request, const RetryRule& rule) {
  thread_local std::minstd_rand random(std::random_device{}());
  bool streamed = false;
  if (request.sink)
    request.sink = [inner = request.sink, &streamed](const Reply& head, Bytes piece) {
      streamed = true;
      return inner(head, piece);
    };
  for (int number = 1;; ++number) {
    auto outcome = client.send(request);
    const Attempt attempt{.number = number,
                          .repeatable = is_repeatable(request),
                          .chance = std::uniform_real_distribution(0.0, 1.0)(random),
                          .now = system_clock::now()};
    const auto wait = streamed ? std::nullopt : wait_before_retry(rule, attempt, outcome);
    if (!wait || !wait_for(*wait, request.stop)) return outcome;
  }
}

}  // namespace alcove::net
