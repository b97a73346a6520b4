#include "base/base64.h"

#include <gtest/gtest.h>

namespace alcove {
namespace {

TEST(Base64, ReadsWhatItWrites) {
  std::string bytes;
  for (int length = 0; length < 70; ++length) {
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes) << length << " bytes";
    bytes += static_cast<char>(length * 37);
  }
  EXPECT_EQ(encode_base64("sheet"), "c2hlZXQ=");
}

TEST(Base64, TakesWhatClientsSend) {
  EXPECT_EQ(decode_base64("c2hlZXQ"), "sheet") << "without padding";
  EXPECT_EQ(decode_base64("c2hl\r\nZXQ=\n"), "sheet") << "in lines";
  const std::string bytes = "\xfb\xff\xbf";
  EXPECT_EQ(decode_base64("+/+/"), bytes);
  EXPECT_EQ(decode_base64("-_-_"), bytes) << "the alphabet for addresses";
  EXPECT_EQ(decode_base64(" / /"), bytes) << "a query string turned + into a space";
  EXPECT_EQ(decode_base64(""), "");
}

TEST(Base64, RefusesOtherText) {
  const auto odd = decode_base64("c2hl!XQ=");
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().kind, ErrorKind::BadInput);
  EXPECT_EQ(odd.error().message, "not base64: character 5 of the data");
  EXPECT_FALSE(decode_base64("c2=hlZXQ")) << "padding in the middle";
  EXPECT_FALSE(decode_base64("c2hlZ")) << "one character is less than a byte";
}

}  // namespace
}  // namespace alcove
