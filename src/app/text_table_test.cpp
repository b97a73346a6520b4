#include "app/text_table.h"

#include <gtest/gtest.h>

namespace alcove::app {
namespace {

TEST(TextTable, AlignsColumnsAndEndsLinesCleanly) {
  EXPECT_EQ(text_table({{"FILE", "REGISTER"}, {"a.jpg", "7"}, {"grün.pdf", ""}}),
            "FILE      REGISTER\n"
            "a.jpg     7\n"
            "grün.pdf\n");
}

TEST(TextTable, ControlCharactersDoNotReachTheTerminal) {
  EXPECT_EQ(text_table({{"a\x1b[31m"}}), "a?[31m\n");
}

}  // namespace
}  // namespace alcove::app
