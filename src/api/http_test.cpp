#include "api/http.h"

#include <gtest/gtest.h>

namespace alcove::api {
namespace {

TEST(PercentDecoded, GivesBytesBack) {
  EXPECT_EQ(percent_decoded("a%20b%2Fc"), "a b/c");
  EXPECT_EQ(percent_decoded("1+1"), "1+1");
  EXPECT_EQ(percent_decoded("1+1", true), "1 1");
  EXPECT_EQ(percent_decoded("100%"), "100%");
  EXPECT_EQ(percent_decoded("%4"), "%4");
  EXPECT_EQ(percent_decoded("%zz"), "%zz");
}

TEST(FormValue, FindsTheFirstOfAName) {
  EXPECT_EQ(form_value("a=1&b=2&a=3", "a"), "1");
  EXPECT_EQ(form_value("a=1&image_data=x%2By", "image_data"), "x+y");
  EXPECT_EQ(form_value("preview", "preview"), "");
  EXPECT_EQ(form_value("", "a"), std::nullopt);
  EXPECT_EQ(form_values("a=1&b=2&a=%33", "a"), (std::vector<std::string>{"1", "3"}));
  EXPECT_EQ(form_value("&&=&ab=1", "a"), std::nullopt);
}

TEST(HeaderParameter, ReadsQuotedAndPlain) {
  const std::string_view header = R"(multipart/form-data; charset="a;b" ; Boundary="one \"two\"")";
  EXPECT_EQ(media_type(header), "multipart/form-data");
  EXPECT_EQ(header_parameter(header, "charset"), "a;b");
  EXPECT_EQ(header_parameter(header, "boundary"), R"(one "two")");
  EXPECT_EQ(header_parameter("multipart/form-data; boundary=plain; x=y", "boundary"), "plain");
  EXPECT_EQ(header_parameter("multipart/form-data", "boundary"), std::nullopt);
  EXPECT_EQ(header_parameter("multipart/form-data; boundary", "boundary"), std::nullopt);
  EXPECT_EQ(media_type(" Application/JSON "), "application/json");
}

TEST(PrefersHtml, TellsBrowsersFromClients) {
  EXPECT_TRUE(prefers_html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
  EXPECT_FALSE(prefers_html("*/*"));
  EXPECT_FALSE(prefers_html(""));
  EXPECT_FALSE(prefers_html("application/json, text/html;q=0.1"));
}

TEST(EqualInConstantTime, ComparesLikeEquality) {
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secret1"));
  EXPECT_FALSE(equal_in_constant_time("", "x"));
}

TEST(MatchRoute, TakesOneSegmentForAParameter) {
  EXPECT_EQ(match_route("/status", "/status"), "");
  EXPECT_EQ(match_route("/status", "/status/"), std::nullopt);
  EXPECT_EQ(match_route("/jobs/{id}", "/jobs/42"), "42");
  EXPECT_EQ(match_route("/jobs/{id}/events", "/jobs/42/events"), "42");
  EXPECT_EQ(match_route("/a/{x}/b/{y}", "/a/1/b/2"), "1/b/2");
  EXPECT_EQ(match_route("/a/{x}/b/{y}", "/a/1/b/"), std::nullopt);
  EXPECT_EQ(match_route("/a/{x}/b/{y}", "/a/1/b"), std::nullopt);
  for (const auto* other : {"/jobs", "/jobs/", "/jobs/42/events", "/jobs/4/2", "/job"})
    EXPECT_EQ(match_route("/jobs/{id}", other), std::nullopt) << other;
  for (const auto* other : {"/jobs/events", "/jobs//events", "/jobs/4/2/events", "/jobs/42"})
    EXPECT_EQ(match_route("/jobs/{id}/events", other), std::nullopt) << other;
}

TEST(ErrorReply, SaysWhatAndWhenToComeBack) {
  const auto reply = busy_reply({ErrorKind::Overloaded, "full", "overloaded"}, 0);
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.body, R"({"detail":"full","code":"overloaded"})");
  ASSERT_EQ(reply.headers.size(), 1);
  EXPECT_EQ(reply.headers[0], (std::pair<std::string, std::string>("Retry-After", "1")));
}

}  // namespace
}  // namespace alcove::api
