#include "net/redirect.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace alcove::net {
namespace {

const Request kAsked{.url = "https://hub.test/a",
                     .headers = {{"authorization", "Bearer x"},
                                 {"X-HF-Authorization", "Bearer y"},
                                 {"Cookie", "z"},
                                 {"User-Agent", "alcove"}}};

Reply to(int status, const std::string& location) {
  return {.status = status, .headers = {{"location", location}}};
}

TEST(Redirect, LeavesAnswersAlone) {
  Trail trail;
  EXPECT_FALSE(next_request(kAsked, {.status = 200}, trail).value());
  EXPECT_FALSE(next_request(kAsked, {.status = 302}, trail).value());
  EXPECT_FALSE(next_request(kAsked, to(304, "/b"), trail).value());
}

TEST(Redirect, KeepsCredentialsOnTheirOrigin) {
  Trail trail;
  const auto next = next_request(kAsked, to(307, "/b"), trail).value();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->url, "https://hub.test/b");
  EXPECT_EQ(next->headers.size(), 4U);
}

TEST(Redirect, SendsNoCredentialElsewhere) {
  for (const char* there : {"https://cdn.test/b", "https://hub.test:8443/b", "//cdn.test/b"}) {
    Trail trail;
    const auto next = next_request(kAsked, to(302, there), trail).value();
    ASSERT_TRUE(next) << there;
    ASSERT_EQ(next->headers.size(), 1U) << there;
    EXPECT_EQ(next->headers.front().name, "User-Agent");
  }
}

TEST(Redirect, StaysWhereItIsTold) {
  auto asked = kAsked;
  asked.redirects = Redirects::SameOrigin;
  Trail trail;
  EXPECT_FALSE(next_request(asked, to(302, "https://cdn.test/b"), trail).value());
  EXPECT_TRUE(next_request(asked, to(302, "/b"), trail).value());
  asked.redirects = Redirects::Never;
  EXPECT_FALSE(next_request(asked, to(302, "/b"), trail).value());
}

TEST(Redirect, NeverLeavesHttps) {
  for (const char* there :
       {"http://hub.test/b", "file:///etc/passwd", "javascript:1", "http://u:p@hub.test/"}) {
    Trail trail;
    const auto next = next_request(kAsked, to(302, there), trail);
    ASSERT_FALSE(next) << there;
    EXPECT_EQ(next.error().code, "redirects");
  }
}

TEST(Redirect, TurnsAPostIntoAGetWhereTheStandardSaysSo) {
  auto post = kAsked;
  post.method = "POST";
  post.body = std::string("x");
  post.headers.push_back({"Content-Type", "text/plain"});
  Trail trail;
  const auto seen = next_request(post, to(303, "/b"), trail).value();
  EXPECT_EQ(seen->method, "GET");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(seen->body));
  EXPECT_EQ(seen->headers.size(), 4U);
  const auto kept = next_request(post, to(307, "/b"), trail).value();
  EXPECT_EQ(kept->method, "POST");
  EXPECT_EQ(std::get<std::string>(kept->body), "x");
}

TEST(Redirect, FindsCirclesAndEndlessChains) {
  Trail trail;
  const auto b = next_request(kAsked, to(302, "/b"), trail).value();
  const auto circle = next_request(*b, to(302, "/a"), trail);
  ASSERT_FALSE(circle);
  EXPECT_NE(circle.error().message.find("in a circle"), std::string::npos);

  Trail endless;
  auto at = kAsked;
  for (int i = 0; i < kMostRedirects; ++i)
    at = *next_request(at, to(302, fmt::format("/{}", i)), endless).value();
  const auto end = next_request(at, to(302, "/one-more"), endless);
  ASSERT_FALSE(end);
  EXPECT_NE(end.error().message.find("more than 20"), std::string::npos);
}

}  // namespace
}  // namespace alcove::net
