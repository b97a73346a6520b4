#include "api/tokens.h"

#include <gtest/gtest.h>

#include <fstream>

namespace alcove::api {
namespace {

TEST(Tokens, AdmitEachOfThemAndNothingElse) {
  Tokens tokens;
  EXPECT_TRUE(tokens.empty());
  tokens.add("");
  EXPECT_TRUE(tokens.empty());
  tokens.add("first");
  tokens.add("second");
  EXPECT_TRUE(tokens.admit("Bearer first"));
  EXPECT_TRUE(tokens.admit("bearer  second"));
  for (const auto* wrong : {"", "first", "Bearer", "Bearer ", "Bearer firs", "Bearer first1", "Basic first",
                            "Bearer first second"})
    EXPECT_FALSE(tokens.admit(wrong)) << wrong;
}

TEST(Tokens, ComeFromAFileToo) {
  const auto file = testing::TempDir() + "alcove-tokens";
  std::ofstream(file) << "# scanners\n\n  one \r\ntwo";
  Tokens tokens;
  ASSERT_TRUE(tokens.add_file(file));
  EXPECT_TRUE(tokens.admit("Bearer one"));
  EXPECT_TRUE(tokens.admit("Bearer two"));
  EXPECT_FALSE(tokens.admit("Bearer # scanners"));
  std::ofstream(file) << "# none\n";
  EXPECT_EQ(Tokens().add_file(file).error().kind, ErrorKind::BadInput);
  EXPECT_EQ(Tokens().add_file(file + "-missing").error().kind, ErrorKind::NotFound);
}

}  // namespace
}  // namespace alcove::api
