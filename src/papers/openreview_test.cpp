#include "papers/openreview.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "net/testing.h"

namespace alcove::papers {
namespace {

namespace fs = std::filesystem;
using net::http_reply;
using net::LoopbackServer;
using net::Received;

bool asks(const Received& request, std::string_view part) {
  return request.target.find(part) != std::string::npos;
}

std::string json(const std::string& body, int status = 200) {
  return http_reply(status, body, "Content-Type: application/json\r\n");
}

// Notes first to last of a venue with `total`, as the server gives them.
std::string page(int first, int last, int total) {
  std::string notes;
  for (int i = first; i <= last; ++i)
    notes += fmt::format(
        R"({}{{"id":"n{:03}","forum":"n{:03}","content":{{"title":{{"value":"Paper {}"}},"venueid":{{"value":"V.cc/2025/Conference"}}}}}})",
        i == first ? "" : ",", i, i, i);
  return json(fmt::format(R"({{"notes":[{}],"count":{}}})", notes, total));
}

constexpr std::string_view kGroup =
    R"({"groups":[{"id":"V.cc/2025/Conference","domain":"V.cc/2025/Conference","content":{"submission_id":{"value":"V.cc/2025/Conference/-/Entry"}}}]})";

class FetchVenue : public ::testing::Test {
 protected:
  void SetUp() override {
    cache_ = fs::temp_directory_path() / ("alcove-openreview-" + std::to_string(::getpid()));
    fs::remove_all(cache_);
  }
  void TearDown() override { fs::remove_all(cache_); }

  Result<FetchedVenue> fetch(const LoopbackServer& server, OpenReviewSettings settings = {}, bool all = false,
                             const FetchProgress& progress = {}) const {
    settings.api = server.url("");
    settings.older_api = server.url("/v1");
    settings.pause = std::chrono::milliseconds(1);
    settings.cache = cache_;
    return fetch_venue(settings, "V.cc/2025/Conference", all, progress);
  }

  fs::path cache_;
};

TEST_F(FetchVenue, ReadsPageAfterPage) {
  LoopbackServer server([](const Received& request) {
    if (asks(request, "/groups")) return json(std::string(kGroup));
    EXPECT_TRUE(asks(request, "content.venueid=V.cc%2F2025%2FConference&limit=1000&sort=id"))
        << request.target;
    return asks(request, "after=n002&count=false") ? page(3, 4, 4)
           : asks(request, "count=true")           ? page(1, 2, 4)
                                                   : json("{}", 400);
  });
  std::size_t done = 0, total = 0;
  const auto fetched = fetch(server, {}, false, [&](std::size_t d, std::size_t t) {
    done = d, total = t;
    return true;
  });
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_EQ(fetched->papers.size(), 4u);
  EXPECT_EQ(fetched->papers[3].title, "Paper 4");
  EXPECT_EQ(done, 4u);
  EXPECT_EQ(total, 4u);
  EXPECT_EQ(server.received().size(), 3u);
  // A second time within the hour asks only for the group.
  EXPECT_EQ(fetch(server)->papers.size(), 4u);
  EXPECT_EQ(server.received().size(), 4u);
}

TEST_F(FetchVenue, AsksForAllSubmissionsByTheirInvitation) {
  LoopbackServer server([](const Received& request) {
    if (asks(request, "/groups")) return json(std::string(kGroup));
    EXPECT_TRUE(asks(request, "invitation=V.cc%2F2025%2FConference%2F-%2FEntry")) << request.target;
    return page(1, 1, 1);
  });
  EXPECT_EQ(fetch(server, {}, true)->papers.size(), 1u);
}

TEST_F(FetchVenue, GoesOnWhereItWasCutOff) {
  std::atomic<bool> works = false;
  LoopbackServer server([&](const Received& request) {
    if (asks(request, "/groups")) return json(std::string(kGroup));
    if (asks(request, "after="))
      return works ? page(3, 4, 4) : json(R"({"name":"Error","message":"broken"})", 500);
    return page(1, 2, 4);
  });
  const auto broken = fetch(server, {.tries = 2});
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(broken.error().message.find("goes on from there"), std::string::npos);
  works = true;
  const auto before = server.received().size();
  EXPECT_EQ(fetch(server)->papers.size(), 4u);
  EXPECT_EQ(server.received().size() - before, 2u) << "the group and the second page";
}

TEST_F(FetchVenue, LogsInOnceAndAgainWhenTheTokenRanOut) {
  std::atomic<int> logins = 0;
  LoopbackServer server([&](const Received& request) {
    if (request.target == "/login") {
      EXPECT_EQ(request.body, R"({"id":"me@x.org","password":"p"})");
      return json(fmt::format(R"({{"token":"t{}"}})", ++logins));
    }
    if (asks(request, "/groups")) return json(std::string(kGroup));
    return request.head.find("Bearer t2") == std::string::npos ? json(R"({"name":"TokenExpiredError"})", 401)
                                                               : page(1, 1, 1);
  });
  EXPECT_EQ(fetch(server, {.username = "me@x.org", .password = "p"})->papers.size(), 1u);
  EXPECT_EQ(logins, 2);
}

TEST_F(FetchVenue, ExplainsWhatStandsInTheWay) {
  const auto message = [&](const std::string& reply, OpenReviewSettings settings = {}) {
    LoopbackServer server([&](const Received&) { return reply; });
    settings.tries = 2;
    const auto fetched = fetch(server, settings);
    EXPECT_FALSE(fetched);
    return fetched ? "" : fetched.error().message;
  };
  const auto challenge = json(
      R"({"name":"ChallengeRequiredError","message":"Challenge verification required","details":{"challengeUrl":"u"}})",
      403);
  EXPECT_NE(message(challenge).find("OPENREVIEW_USERNAME"), std::string::npos);
  EXPECT_NE(message(json(R"({"errors":[{"type":"forbidden","path":"id"}]})", 403)).find("refuses"),
            std::string::npos);
  EXPECT_NE(message(json(R"({"name":"NotFoundError","message":"no group"})", 404))
                .find("NeurIPS.cc/2025/Conference"),
            std::string::npos);
  EXPECT_NE(message(http_reply(200, "<html>a proxy</html>")).find("proxy"), std::string::npos);
  EXPECT_NE(message(http_reply(200, "{\"groups\":[{\"id\"")).find("proxy"), std::string::npos);
  EXPECT_NE(message(http_reply(502, "")).find("502"), std::string::npos);
  const OpenReviewSettings account{.username = "me", .password = "wrong"};
  EXPECT_NE(message(json(R"({"name":"Error","message":"Invalid username or password"})", 400), account)
                .find("Invalid username"),
            std::string::npos);
  EXPECT_NE(message(json(R"({"mfaPending":true,"mfaPendingToken":"t"})"), account).find("second factor"),
            std::string::npos);
}

TEST_F(FetchVenue, WaitsAsLongAsItIsAskedToAndNoLonger) {
  std::atomic<int> asked = 0;
  LoopbackServer server([&](const Received& request) {
    if (asks(request, "/groups")) return json(std::string(kGroup));
    if (++asked == 1) return http_reply(429, "{}", "Retry-After: 0\r\n");
    return page(1, 1, 1);
  });
  EXPECT_EQ(fetch(server)->papers.size(), 1u);
  EXPECT_EQ(asked, 2);

  LoopbackServer for_ever([&](const Received&) {
    return json(
        R"({"name":"RateLimitError","message":"Too many requests. Please try again in 60 minutes and 13 seconds"})",
        429);
  });
  const auto refused = fetch(for_ever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "rate_limit");
  EXPECT_EQ(for_ever.received().size(), 1u) << "an hour is more than the patience there is";
}

TEST_F(FetchVenue, FindsOlderVenuesOnTheOlderApi) {
  LoopbackServer server([](const Received& request) {
    if (asks(request, "/groups")) return json(R"({"groups":[{"id":"V.cc/2025/Conference"}]})");
    if (asks(request, "/v1/notes?content.venueid")) return json(R"({"notes":[],"count":0})");
    if (asks(request, "Blind_Submission"))
      return json(
          R"({"notes":[{"id":"a","content":{"title":"Accepted","venue":"V 2018 Poster"}},{"id":"b","content":{"title":"Not","venue":"Submitted to V 2018"}}],"count":2})");
    return json("{}", 400);
  });
  const auto fetched = fetch(server);
  ASSERT_TRUE(fetched) << fetched.error().message;
  ASSERT_EQ(fetched->papers.size(), 1u);
  EXPECT_EQ(fetched->papers[0].title, "Accepted");
  EXPECT_EQ(fetched->papers[0].venue_id, "V.cc/2025/Conference");
}

TEST(VenueIdIn, TakesAddressesToo) {
  EXPECT_EQ(venue_id_in("https://openreview.net/group?id=NeurIPS.cc/2025/Conference#tab-accept"),
            "NeurIPS.cc/2025/Conference");
  EXPECT_EQ(venue_id_in("https://openreview.net/group?referrer=x&id=ICLR.cc%2F2024%2FConference&y=1"),
            "ICLR.cc/2024/Conference");
  EXPECT_EQ(venue_id_in(" ICLR.cc/2024/Conference "), "ICLR.cc/2024/Conference");
  EXPECT_EQ(fetch_venue({}, "two words", false).error().kind, ErrorKind::BadInput);
}

TEST(OpenreviewWait, IsReadFromWhereverItStands) {
  const auto now = std::chrono::sys_days(std::chrono::year(2026) / 8 / 31) + std::chrono::hours(8);
  const auto wait = [&](std::vector<net::Header> headers, std::string body) {
    const auto found =
        openreview_wait({.status = 429, .headers = std::move(headers), .body = std::move(body)}, now);
    return found ? found->count() : -1;
  };
  EXPECT_EQ(wait({{"retry-after", "2"}}, R"({"details":{"resetTime":"2026-08-31T08:59:25.212Z"}})"), 2);
  EXPECT_EQ(wait({{"ratelimit-reset", "7"}}, R"({"details":{"resetTime":"2026-08-31T08:59:25.212Z"}})"),
            59 * 60 + 25);
  EXPECT_EQ(wait({{"ratelimit-reset", "7"}}, "{}"), 7);
  EXPECT_EQ(
      wait(
          {},
          R"x({"message":"made 37 requests. Please try again in 60 minutes and 13 seconds (2026-08-31-1)"})x"),
      3'613);
  EXPECT_EQ(wait({}, R"({"message":"try again in 2 hours"})"), 7'200);
  for (const auto* nothing : {"", "<html>", "{}", "[]", R"({"message":"no"})",
                              R"({"details":{"resetTime":"soon"}})", R"({"message":7})"})
    EXPECT_EQ(wait({}, nothing), -1) << nothing;
}

}  // namespace
}  // namespace alcove::papers
