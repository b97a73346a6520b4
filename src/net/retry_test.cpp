#include "net/retry.h"

#include <gtest/gtest.h>

#include "net/testing.h"

namespace alcove::net {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const auto kNow = std::chrono::system_clock::from_time_t(784111777);  // Sun, 06 Nov 1994 08:49:37 GMT

Result<Reply> status(int value, std::vector<Header> headers = {}) {
  return Reply{.status = value, .headers = std::move(headers)};
}
Result<Reply> broken(const char* code) { return fail(ErrorKind::Unavailable, "x", code); }

std::optional<milliseconds> wait(const Result<Reply>& outcome, int number = 1, bool repeatable = true,
                                 double chance = 0.999999) {
  return wait_before_retry({}, {number, repeatable, chance, kNow}, outcome);
}

TEST(Retry, LetsAnswersStand) {
  for (const int fine : {200, 206, 301, 400, 401, 403, 404, 409, 412, 416, 501})
    EXPECT_FALSE(wait(status(fine)));
  for (const char* final : {"tls", "redirects", "cancelled", ""}) EXPECT_FALSE(wait(broken(final)));
}

TEST(Retry, AsksAgainWhatMayPass) {
  for (const int passing : {408, 429, 500, 502, 503, 504}) EXPECT_TRUE(wait(status(passing))) << passing;
  for (const char* passing : {"not_connected", "no_answer", "cut", "timeout"})
    EXPECT_TRUE(wait(broken(passing)));
}

TEST(Retry, SendsNothingTwiceThatMayHaveArrived) {
  for (const int doubtful : {408, 500, 502, 503, 504}) EXPECT_FALSE(wait(status(doubtful), 1, false));
  for (const char* doubtful : {"no_answer", "cut", "timeout"}) EXPECT_FALSE(wait(broken(doubtful), 1, false));
  EXPECT_TRUE(wait(status(429), 1, false));
  EXPECT_TRUE(wait(broken("not_connected"), 1, false));
}

TEST(Retry, DoublesUpToTheCapAndSpreads) {
  const milliseconds expected[] = {1s, 2s, 4s, 8s, 8s};
  for (int number = 1; number <= 5; ++number) {
    const RetryRule rule{.tries = 6};
    const auto longest = wait_before_retry(rule, {number, true, 0.999999, kNow}, status(503)).value();
    const auto shortest = wait_before_retry(rule, {number, true, 0, kNow}, status(503)).value();
    EXPECT_NEAR(static_cast<double>(longest.count()), static_cast<double>(expected[number - 1].count()), 2);
    EXPECT_EQ(shortest, expected[number - 1] / 2);
  }
  EXPECT_FALSE(wait(status(503), 5));  // five tries in all
}

TEST(Retry, WaitsAsLongAsTheServerSays) {
  EXPECT_EQ(wait(status(429, {{"retry-after", "7"}})), 7s);
  EXPECT_EQ(wait(status(503, {{"retry-after", "Sun, 06 Nov 1994 08:49:47 GMT"}})), 10s);
  EXPECT_EQ(wait(status(503, {{"retry-after", "Sun, 06 Nov 1994 08:49:27 GMT"}})), 0s);  // over already
  EXPECT_EQ(wait(status(429, {{"ratelimit", R"("api";r=0;t=55)"}, {"retry-after", "7"}})), 56s);
  EXPECT_EQ(wait(status(429, {{"ratelimit", R"("api";r=3;t=55)"}, {"retry-after", "7"}})), 7s);
}

TEST(Retry, LosesPatienceWithLongWaits) {
  EXPECT_FALSE(wait(status(429, {{"retry-after", "61"}})));
  EXPECT_FALSE(wait(status(429, {{"retry-after", "99999999999"}})) &&
               wait(status(429, {{"retry-after", "99999999999"}})).value() > 60s);
}

TEST(Retry, TakesNonsenseForNothing) {
  for (const char* text : {"", "soon", "-5", "1e3", "99999999999999999999"})
    EXPECT_FALSE(asked_wait({.headers = {{"retry-after", text}}}, kNow)) << text;
  EXPECT_FALSE(asked_wait({.headers = {{"ratelimit", R"("api";r=0)"}}}, kNow));
}

TEST(Retry, SendsUntilItIsAnswered) {
  int calls = 0;
  LoopbackServer server(
      [&](const Received&) { return ++calls < 3 ? http_reply(503, "later") : http_reply(200, "ok"); });
  const Client client;
  const auto reply = send_patiently(client, {.url = server.url()}, {.first = 1ms});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->body, "ok");
  EXPECT_EQ(calls, 3);
}

TEST(Retry, NeverRepeatsAPostThatWasReceived) {
  LoopbackServer server([](const Received&) { return http_reply(503, "later"); });
  const Client client;
  EXPECT_EQ(send_patiently(client, {.method = "POST", .url = server.url()}, {.first = 1ms})->status, 503);
  EXPECT_EQ(server.received().size(), 1U);
}

TEST(Retry, StopsWaitingWhenItIsTold) {
  LoopbackServer server([](const Received&) { return http_reply(503, "", "Retry-After: 50\r\n"); });
  const Client client;
  std::stop_source source;
  const std::jthread stopper([&] {
    while (server.received().empty()) std::this_thread::sleep_for(5ms);
    source.request_stop();
  });
  // Would take 50 seconds, and the test's time-out, if the wait could not be ended.
  const auto reply = send_patiently(client, {.url = server.url(), .stop = source.get_token()});
  EXPECT_LE(server.received().size(), 1U);
}

}  // namespace
}  // namespace alcove::net
