#include "api/trace.h"

#include <gtest/gtest.h>

namespace alcove::api {
namespace {

constexpr std::string_view kSound = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Traceparent, GivesTraceAndSpan) {
  const auto trace = parse_traceparent(kSound);
  EXPECT_EQ(trace.id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace.parent, "00f067aa0ba902b7");
  EXPECT_FALSE(parse_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes-later")
                   .id.empty());
}

TEST(Traceparent, IgnoresWhatIsNotOne) {
  for (const auto* header : {"", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                             "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                             "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
                             "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
                             "00-4bf92f3577b34da6a3ce929d0e0e473\"-00f067aa0ba902b7-01"})
    EXPECT_TRUE(parse_traceparent(header).id.empty()) << header;
  for (std::size_t length = 0; length < kSound.size(); ++length)
    EXPECT_TRUE(parse_traceparent(kSound.substr(0, length)).id.empty());
}

}  // namespace
}  // namespace alcove::api
