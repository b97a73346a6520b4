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

TEST(ParseJson, NamesTheByteOfANumberThatIsNone) {
  const auto value = parse_json("{\"a\": 1e999999}");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().message, "not valid JSON at byte 14");
}

// Fifty megabytes of it would be two gigabytes of values, or days of comparing keys.
TEST(ParseJson, RefusesMoreThanIsWorthBuilding) {
  std::string values = "[0", keys = "{\"0\":0";
  for (int i = 1; i < 100'001; ++i) values += ",0";
  for (int i = 1; i < 10'001; ++i) keys += ",\"" + std::to_string(i) + "\":0";
  EXPECT_EQ(parse_json(values + "]").error().message, "JSON of more than 100000 values");
  EXPECT_EQ(parse_json(keys + "}").error().message, "JSON with more than 10000 keys in one object");
}

TEST(ToText, ReplacesWhatIsNotUtf8) { EXPECT_EQ(to_text(Json("a\xff")), "\"a\xEF\xBF\xBD\""); }

}  // namespace
}  // namespace alcove
