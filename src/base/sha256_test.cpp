#include "base/sha256.h"

#include <gtest/gtest.h>

namespace alcove {
namespace {

// FIPS 180-4, example B.1.
constexpr auto kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, MatchesTheStandardsExample) { EXPECT_EQ(sha256_hex(as_bytes("abc")), kAbc); }

TEST(Sha256, PiecesGiveTheSameAsTheWhole) {
  Sha256 digest;
  digest.add(as_bytes("a"));
  digest.add(as_bytes("bc"));
  EXPECT_EQ(digest.hex(), kAbc);
}

// FIPS 180-4, example A.1.
TEST(Sha1, MatchesTheStandardsExample) {
  Sha1 digest;
  digest.add(as_bytes("abc"));
  EXPECT_EQ(digest.hex(), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

}  // namespace
}  // namespace alcove
