#include "app/csv.h"

#include <gtest/gtest.h>

namespace alcove::app {
namespace {

TEST(CsvRow, QuotesWhatWouldBreakIt) {
  EXPECT_EQ(csv_row({}), "");
  EXPECT_EQ(csv_row({"", ""}), ",");
  EXPECT_EQ(csv_row({"a.png", "two, words", "a \"b\"", "line\nbreak"}),
            "a.png,\"two, words\",\"a \"\"b\"\"\",\"line\nbreak\"");
}

}  // namespace
}  // namespace alcove::app
