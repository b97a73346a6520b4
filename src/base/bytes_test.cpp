#include "base/bytes.h"

#include <gtest/gtest.h>

namespace alcove {
namespace {

TEST(ByteReader, ReadsForwardAndStopsAtTheEnd) {
  const std::uint8_t data[] = {0x01, 0x02, 0x03, 0x04, 'a', 'b', '\n', 'c'};
  ByteReader in(data);
  EXPECT_EQ(in.little_endian<std::uint16_t>().value(), 0x0201);
  EXPECT_EQ(in.big_endian<std::uint16_t>().value(), 0x0304);
  EXPECT_EQ(in.until('\n').value(), "ab");
  EXPECT_EQ(in.remaining(), 1U);
  EXPECT_FALSE(in.little_endian<std::uint16_t>());
  EXPECT_EQ(in.remaining(), 1U) << "a failed read moves nothing";
  EXPECT_EQ(as_text(in.take(1).value()), "c");
  EXPECT_TRUE(in.at_end());
}

TEST(ByteReader, AnEnormousLengthIsRefusedWithoutOverflow) {
  const std::uint8_t data[] = {1, 2, 3};
  ByteReader in(data);
  ASSERT_TRUE(in.take(1));
  const auto taken = in.take(static_cast<std::size_t>(-1));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, ErrorKind::Unreadable);
}

TEST(ByteReader, UntilSaysWhereTheDataEnds) {
  ByteReader in(as_bytes("no end"));
  const auto line = in.until('\n');
  ASSERT_FALSE(line);
  EXPECT_NE(line.error().message.find("ends at byte 6"), std::string::npos) << line.error().message;
}

}  // namespace
}  // namespace alcove
