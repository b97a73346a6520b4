#include "net/http_client.h"

#include <gtest/gtest.h>

namespace alcove::net {
namespace {

TEST(HttpClient, SaysWhoDidNotAnswer) {
  const auto reply = get("http://127.0.0.1:1/health");  // port 1: nobody listens there
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(reply.error().code, "not_connected");
  EXPECT_NE(reply.error().message.find("127.0.0.1:1/health did not answer"), std::string::npos)
      << reply.error().message;
}

TEST(HttpClient, SpeaksHttpAlone) {
  const auto reply = get("file:///etc/hostname");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::Unavailable);
}

}  // namespace
}  // namespace alcove::net
