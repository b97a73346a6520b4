#include "base/csv.h"

#include <gtest/gtest.h>

namespace alcove {
namespace {

using Cells = std::vector<std::string>;

std::vector<Cells> cells_of(std::string_view text) {
  std::vector<Cells> all;
  const auto rows = read_csv(text);
  EXPECT_TRUE(rows) << rows.error().message;
  if (rows)
    for (const auto& row : *rows) all.push_back(row.cells);
  return all;
}

TEST(CsvRow, QuotesWhatWouldBreakIt) {
  EXPECT_EQ(csv_row({}), "");
  EXPECT_EQ(csv_row({"", ""}), ",");
  EXPECT_EQ(csv_row({"a.png", "two, words", "a \"b\"", "line\nbreak"}),
            "a.png,\"two, words\",\"a \"\"b\"\"\",\"line\nbreak\"");
}

TEST(ReadCsv, GivesBackWhatWasWritten) {
  const Cells row{"plain", "two, words", "a \"b\"", "line\r\nbreak", "", "ünï"};
  EXPECT_EQ(cells_of(csv_row(row) + "\r\n" + csv_row({"next"})), (std::vector<Cells>{row, {"next"}}));
}

TEST(ReadCsv, TakesWhatSpreadsheetsWrite) {
  EXPECT_EQ(cells_of("\xEF\xBB\xBFid;name\r\n1;A, B\r\n"),
            (std::vector<Cells>{{"id", "name"}, {"1", "A, B"}}));
  EXPECT_EQ(cells_of("id\tname\n1\tA\n\n2\t"), (std::vector<Cells>{{"id", "name"}, {"1", "A"}, {"2", ""}}));
  EXPECT_EQ(cells_of("a,5\" disk\r\"x\"y,z"), (std::vector<Cells>{{"a", "5\" disk"}, {"xy", "z"}}));
  EXPECT_EQ(cells_of(""), std::vector<Cells>{});
}

TEST(ReadCsv, NamesLines) {
  const auto rows = read_csv("a\n\"b\nc\"\nd");
  ASSERT_TRUE(rows);
  EXPECT_EQ((*rows)[1].line, 2u);
  EXPECT_EQ((*rows)[2].line, 4u);
  const auto open = read_csv("a\n\"b\nc");
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().kind, ErrorKind::Unreadable);
  EXPECT_EQ(open.error().message, "line 2: a quoted cell never ends");
}

TEST(ReadCsv, RefusesMoreColumnsThanAnyTableHas) {
  const auto wide = read_csv(std::string(1'000, ','));
  ASSERT_FALSE(wide);
  EXPECT_EQ(wide.error().kind, ErrorKind::TooLarge);
}

}  // namespace
}  // namespace alcove
