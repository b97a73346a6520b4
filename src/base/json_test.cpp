#include "base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace alcove {
namespace {

TEST(ParseJson, KeepsTheOrderOfKeys) {
  const auto value = parse_json(R"({"b":1,"a":2})");
  ASSERT_TRUE(value);
  EXPECT_EQ(to_text(*value), R"({"b":1,"a":2})");
}

TEST(ParseJson, NamesTheByteThatIsWrong) {
  const auto value = parse_json("{\"a\": nope}");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().kind, ErrorKind::Unreadable);
  EXPECT_NE(value.error().message.find("byte"), std::string::npos);
}

TEST(ParseJson, RefusesWhatNestsTooDeep) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const auto value = parse_json(deep);
  ASSERT_FALSE(value);
  EXPECT_NE(value.error().message.find("deeper"), std::string::npos);
}

TEST(ToText, ReplacesWhatIsNotUtf8) { EXPECT_EQ(to_text(Json("a\xff")), "\"a\xEF\xBF\xBD\""); }

}  // namespace
}  // namespace alcove
