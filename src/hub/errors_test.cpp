#include "hub/errors.h"

#include <gtest/gtest.h>

namespace alcove::hub {
namespace {

const About kAbout{.what = "alice/net",
                   .revision = "v9",
                   .path = "a.bin",
                   .endpoint = "https://hub.test",
                   .token_source = "HF_TOKEN"};
const About kAnonymous{.what = "alice/net", .endpoint = "https://hub.test"};

struct Case {
  const char* code;
  int status;
  std::vector<net::Header> headers;
  const char* body;
  const char* says;
};

TEST(HubErrors, FollowTheTable) {
  const Case cases[] = {
      {"revision_not_found", 404, {{"x-error-code", "RevisionNotFound"}}, "", "no revision \"v9\""},
      {"entry_not_found", 404, {{"x-error-code", "EntryNotFound"}}, "", "no file \"a.bin\""},
      {"gated", 403, {{"x-error-code", "GatedRepo"}}, "", "ask for access at https://hub.test/alice/net"},
      {"disabled", 403, {{"x-error-message", "Access to this resource is disabled."}}, "", "disabled"},
      {"repo_not_found", 404, {{"x-error-code", "RepoNotFound"}}, "", "private"},
      {"bad_token", 401, {}, "", "revoked"},
      {"plan_required", 402, {}, R"({"error":"Subscribe to PRO"})", "PRO for a user, Team or Enterprise"},
      {"no_right", 403, {}, "", "role write"},
      {"conflict", 409, {}, "", "already there"},
      {"parent_moved", 412, {}, "", "changed meanwhile"},
      {"rate_limited", 429, {{"ratelimit", R"("api";r=0;t=55)"}}, "", "ask again in 56 s"},
      {"rate_limited", 429, {}, "", "five minutes"},
      {"refused", 400, {}, R"({"error":["bad name"]})", "bad name"},
      {"busy", 503, {}, "<html>oops</html>", "try again"},
      {"not_found", 404, {}, "", "was not found"},
  };
  for (const auto& one : cases) {
    const auto error = error_of({.status = one.status, .headers = one.headers, .body = one.body}, kAbout);
    EXPECT_EQ(error.code, one.code) << error.message;
    EXPECT_NE(error.message.find(one.says), std::string::npos) << error.message;
    EXPECT_EQ(error.message.find('<'), std::string::npos) << "a web page is no sentence";
  }
}

TEST(HubErrors, TellsTheAnonymousToLogIn) {
  EXPECT_NE(error_of({.status = 401}, kAnonymous).message.find("set HF_TOKEN"), std::string::npos);
  EXPECT_EQ(error_of({.status = 401}, kAnonymous).code, "repo_not_found");
}

TEST(HubErrors, QuotesTheServerBriefly) {
  EXPECT_EQ(words_of({.body = R"({"errors":[{"message":"a"}]})"}), "a");
  EXPECT_EQ(words_of({.body = R"({"error":"invalid_grant","error_description":"b"})"}), "b");
  EXPECT_EQ(words_of({.body = "plain\nwords"}), "plain words");
  EXPECT_LT(words_of({.body = std::string(5'000, 'x')}).size(), 310U);
}

}  // namespace
}  // namespace alcove::hub
