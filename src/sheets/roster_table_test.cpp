#include "sheets/roster_table.h"

#include <gtest/gtest.h>

namespace alcove::sheets {
namespace {

using Cells = std::vector<std::string>;

Table table(std::string_view text) {
  auto read = read_table(as_bytes(text));
  EXPECT_TRUE(read) << read.error().message;
  return read ? *std::move(read) : Table{};
}

TEST(RosterTable, ReadsWhatCountriesSeparateCellsWith) {
  for (const char separator : {',', ';', '\t'}) {
    const std::string text = std::string("a") + separator + "b\n1" + separator + "2\n";
    const auto read = table(text);
    ASSERT_EQ(read.rows.size(), 2U);
    EXPECT_EQ(read.rows[1].cells, (Cells{"1", "2"}));
  }
  EXPECT_EQ(table("sep=;\na;b,c,d\n").rows.at(0).cells, (Cells{"a", "b,c,d"}));
}

TEST(RosterTable, CountsLinesThroughQuotedLineEnds) {
  const auto read = table("number,name\r\n1,\"Anbu\r\nK\"\r\n\r\n2,\"say \"\"so\"\"\"\r\n3,in\"between");
  ASSERT_EQ(read.rows.size(), 4U);
  EXPECT_EQ(read.rows[1].cells, (Cells{"1", "Anbu K"}));
  EXPECT_EQ(read.rows[1].line, 2);
  EXPECT_EQ(read.rows[2].cells, (Cells{"2", "say \"so\""}));
  EXPECT_EQ(read.rows[2].line, 5) << "the empty line 4 counts and is no row";
  EXPECT_EQ(read.rows[3].cells[1], "in\"between");
  EXPECT_EQ(table("a\rb\r").rows.size(), 2U) << "line ends of old Macs";
}

TEST(RosterTable, ReadsEncodingsThatSpreadsheetsWrite) {
  EXPECT_EQ(table("\xEF\xBB\xBFn,\xC3\xA9").rows[0].cells, (Cells{"n", "é"}));
  EXPECT_EQ(table("\xEF\xBB\xBFn,x").encoding, "UTF-8");
  const auto windows = table("n,Ren\xE9 \x80\n");
  EXPECT_EQ(windows.encoding, "Windows-1252");
  EXPECT_EQ(windows.rows[0].cells[1], "René €");
  const auto little = table(std::string_view("\xFF\xFEn\0,\0\xE9\0\x3D\xD8\x00\xDE\n\0", 14));
  EXPECT_EQ(little.encoding, "UTF-16");
  EXPECT_EQ(little.rows[0].cells[1], "é😀");
  EXPECT_EQ(table(std::string_view("\xFE\xFF\0n\0,\0\xE9", 8)).rows[0].cells[1], "é");
}

TEST(RosterTable, TakesOutWhatNobodySees) {
  const auto read = table(
      "\xE2\x80\x8F"  // right-to-left mark
      "2122\xE2\x80\x8B,\xC2\xA0 A\xE2\x80\x8E"
      "B  C \n");
  EXPECT_EQ(read.rows[0].cells, (Cells{"2122", "AB C"}));
  EXPECT_TRUE(read.rows[0].had_marks);
  EXPECT_FALSE(table("a,b").rows[0].had_marks);
}

TEST(RosterTable, RefusesWhatIsNoTable) {
  for (const auto* text : {"", "\n\n ,, \n", "a,\"never closed\nb\n"})
    EXPECT_EQ(read_table(as_bytes(text)).error().kind, ErrorKind::Unreadable) << text;
  EXPECT_NE(read_table(as_bytes("a\n\"b\n\n")).error().message.find("line 2"), std::string::npos);
  EXPECT_NE(read_table(as_bytes("PK\x03\x04zip")).error().message.find("CSV"), std::string::npos);
  EXPECT_EQ(read_table(as_bytes(std::string_view("a\0b", 3))).error().kind, ErrorKind::Unreadable);
  EXPECT_EQ(read_table(as_bytes(std::string(2000, ','))).error().kind, ErrorKind::TooLarge);
  std::string rows;
  for (std::size_t i = 0; i <= kMaxTableRows; ++i) rows += "1\n";
  EXPECT_EQ(read_table(as_bytes(rows)).error().kind, ErrorKind::TooLarge);
}

// Any bytes are an answer: cut short and flipped at every place.
TEST(RosterTable, StaysUprightOnDamage) {
  const std::string sound = "\xEF\xBB\xBFnumber;\"na\"\"me\"\r\n2122;\"\xC3\xA9\xE2\x80\x8F\"\r\n";
  for (std::size_t at = 0; at <= sound.size(); ++at) {
    (void)read_table(as_bytes(sound.substr(0, at)));
    for (int bit = 0; at < sound.size() && bit < 8; ++bit) {
      auto flipped = sound;
      flipped[at] = static_cast<char>(flipped[at] ^ 1 << bit);
      (void)read_table(as_bytes(flipped));
    }
  }
}

}  // namespace
}  // namespace alcove::sheets
