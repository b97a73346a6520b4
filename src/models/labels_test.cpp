#include "models/labels.h"

#include <gtest/gtest.h>

namespace alcove::models {
namespace {

using Labels = std::vector<std::string>;

TEST(ParseLabels, ReadsWhatUltralyticsWrites) {
  EXPECT_EQ(parse_labels("{0: 'RegisterNumber', 1: 'SubjectCode'}"),
            (Labels{"RegisterNumber", "SubjectCode"}));
  EXPECT_EQ(parse_labels("{}"), Labels{});
  EXPECT_EQ(parse_labels("{ 1 : \"b\" , 0:'a', }"), (Labels{"a", "b"}));
}

TEST(ParseLabels, ReadsAList) { EXPECT_EQ(parse_labels("['a', \"b\"]"), (Labels{"a", "b"})); }

TEST(ParseLabels, UnderstandsEscapes) {
  EXPECT_EQ(parse_labels(R"({0: 'it\'s', 1: "a\"b", 2: '\\\n\t', 3: '\xe9\u20ac\U0001f600'})"),
            (Labels{"it's", "a\"b", "\\\n\t", "é€😀"}));
}

TEST(ParseLabels, NamesWhatIsWrong) {
  const auto sentence = [](std::string_view text) { return parse_labels(text).error().message; };
  EXPECT_NE(sentence("{0: 'a', 2: 'c'}").find("lacks number 1"), std::string::npos);
  EXPECT_NE(sentence("{0: 'a', 0: 'c'}").find("two of number 0"), std::string::npos);
  EXPECT_NE(sentence("names").find("at byte 0"), std::string::npos);
  EXPECT_NE(sentence("{0: 'a'} x").find("the end expected"), std::string::npos);
  EXPECT_NE(sentence("{0: __import__('os')}").find("a name in quotes expected at byte 4"), std::string::npos);
  EXPECT_NE(sentence("{99999999999999999999: 'a'}").find("an index"), std::string::npos);
}

TEST(ParseLabels, RefusesEveryCut) {
  const std::string whole = R"({0: 'a\'b', 1: "\u20ac"})";
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(parse_labels(whole.substr(0, length))) << length;
}

TEST(WriteLabels, ComesBackTheSame) {
  const Labels labels{"plain", "it's", "say \"it's\"", "a\\b", "two\nlines", "மாணவர்", "", "\x01"};
  EXPECT_EQ(parse_labels(write_labels(labels)), labels);
  EXPECT_EQ(write_labels({"it's", "b"}), "{0: \"it's\", 1: 'b'}");
}

TEST(SplitLines, DropsBlankLinesAtTheEnd) {
  EXPECT_EQ(split_lines("a\r\nb b\n\n\n"), (Labels{"a", "b b"}));
  EXPECT_EQ(split_lines("a\n\nb"), (Labels{"a", "", "b"}));
  EXPECT_TRUE(split_lines("").empty());
}

}  // namespace
}  // namespace alcove::models
