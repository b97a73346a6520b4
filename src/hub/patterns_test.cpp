#include "hub/patterns.h"

#include <gtest/gtest.h>

namespace alcove::hub {
namespace {

TEST(Patterns, MatchAsFnmatchDoes) {
  EXPECT_TRUE(matches("a/b.bin", "*.bin"));
  EXPECT_TRUE(matches("a/b.bin", "a/?.bin"));
  EXPECT_TRUE(matches("onnx/model.onnx", "onnx/"));
  EXPECT_TRUE(matches("x1", "x[0-9]"));
  EXPECT_TRUE(matches("xa", "x[!0-9]"));
  EXPECT_TRUE(matches("a[b", "a[b"));
  EXPECT_TRUE(matches("x]", "x[]]"));
  EXPECT_TRUE(matches("", "*"));
  EXPECT_FALSE(matches("a/b.BIN", "*.bin"));
  EXPECT_FALSE(matches("model.onnx", "onnx/"));
  EXPECT_FALSE(matches("ab", "a"));
  EXPECT_FALSE(matches("a", "ab"));
  EXPECT_FALSE(matches("x1", "x[!0-9]"));
}

TEST(Patterns, EndSoonWhateverTheyAre) {
  EXPECT_FALSE(matches(std::string(5'000, 'a'), std::string(200, '*') + "a*a*a*a*a*b"));
}

TEST(Patterns, AllowThenIgnore) {
  EXPECT_TRUE(Patterns{}.wants("x"));
  const Patterns patterns{{"*.bin", "*.json"}, {"optimizer*"}};
  EXPECT_TRUE(patterns.wants("config.json"));
  EXPECT_FALSE(patterns.wants("README.md"));
  EXPECT_FALSE(patterns.wants("optimizer.bin"));
}

}  // namespace
}  // namespace alcove::hub
