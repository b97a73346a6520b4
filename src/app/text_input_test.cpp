#include "app/text_input.h"

#include <gtest/gtest.h>

namespace alcove::app {
namespace {

std::vector<std::string> titles(std::string_view text) {
  std::vector<std::string> found;
  const auto parsed = parse_texts(text);
  EXPECT_TRUE(parsed) << parsed.error().message;
  if (parsed)
    for (const auto& each : *parsed)
      found.push_back(each.title + (each.abstract ? "|" + *each.abstract : ""));
  return found;
}

using Titles = std::vector<std::string>;

TEST(ParseTexts, AnArrayOrALineEach) {
  EXPECT_EQ(titles(R"(["one", "two"])"), (Titles{"one", "two"}));
  EXPECT_EQ(titles("\"one\"\n\n  \"two\"\r\n"), (Titles{"one", "two"}));
  EXPECT_EQ(titles(R"( [ ])"), Titles{});
  EXPECT_EQ(titles(""), Titles{});
  EXPECT_EQ(titles("\n \n"), Titles{});
}

TEST(ParseTexts, ObjectsHaveATextOrATitle) {
  EXPECT_EQ(
      titles("{\"text\": \"one\"}\n{\"title\": \"two\", \"abstract\": \"three\"}\n{\"title\": \"four\"}"),
      (Titles{"one", "two|three", "four|"}));
}

TEST(ParseTexts, SaysWhereItStopped) {
  EXPECT_EQ(parse_texts("\"one\"\n\"tw").error().message.find("line 2: not valid JSON"), 0U);
  EXPECT_EQ(parse_texts(R"(["one", 2])").error().message.find("text 2: neither a string"), 0U);
  EXPECT_EQ(parse_texts("{\"name\": 1}").error().message.find("line 1: neither"), 0U);
  EXPECT_FALSE(parse_texts("["));
  EXPECT_FALSE(parse_texts("plain words"));
}

}  // namespace
}  // namespace alcove::app
