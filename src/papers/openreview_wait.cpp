#include <algorithm>
#include <charconv>
#include <chrono>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "papers/openreview.h"

namespace alcove::papers {
namespace {

using std::chrono::seconds;

std::optional<int> digits_at(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  if (at + count > text.size()) return std::nullopt;
  const auto* end = text.data() + at + count;
  const auto [stopped, error] = std::from_chars(text.data() + at, end, value);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

// "2026-08-31T08:59:25.212Z"
std::optional<std::chrono::sys_seconds> read_time(std::string_view text) {
  const auto year = digits_at(text, 0, 4), month = digits_at(text, 5, 2), day = digits_at(text, 8, 2);
  const auto hour = digits_at(text, 11, 2), minute = digits_at(text, 14, 2), second = digits_at(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         seconds(*second);
}

// The number before a word of a sentence: 60 of "try again in 60 minutes and 13 seconds".
long number_before(std::string_view text, std::string_view word) {
  const auto at = text.find(word);
  if (at == std::string_view::npos) return 0;
  auto end = at;
  while (end > 0 && text[end - 1] == ' ') --end;
  auto start = end;
  while (start > 0 && text[start - 1] >= '0' && text[start - 1] <= '9') --start;
  return end - start > 6 || start == end ? 0 : std::stol(std::string(text.substr(start, end - start)));
}

}  // namespace

std::optional<seconds> openreview_wait(const net::Reply& reply, std::chrono::system_clock::time_point now) {
  if (const auto asked = net::asked_wait(reply, now)) return std::chrono::ceil<seconds>(*asked);
  const auto body = parse_json(reply.body);
  if (body && body->is_object()) {
    const auto details = body->find("details");
    if (details != body->end() && details->is_object())
      if (const auto reset = details->find("resetTime"); reset != details->end() && reset->is_string())
        if (const auto time = read_time(reset->get_ref<const std::string&>()))
          return std::max(seconds(0), std::chrono::ceil<seconds>(*time - now));
  }
  if (const auto reset = reply.header("ratelimit-reset"))
    if (const auto value = digits_at(*reset, 0, reset->size())) return seconds(*value);
  if (body && body->is_object() && body->contains("message") && (*body)["message"].is_string()) {
    const auto& text = (*body)["message"].get_ref<const std::string&>();
    const auto again = text.find("try again in");
    const auto tail = again == std::string::npos ? std::string_view() : std::string_view(text).substr(again);
    const auto total = number_before(tail, "hour") * 3'600 + number_before(tail, "minute") * 60 +
                       number_before(tail, "second");
    if (total > 0) return seconds(total);
  }
  return std::nullopt;
}

}  // namespace alcove::papers
