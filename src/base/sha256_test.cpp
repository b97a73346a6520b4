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

}  // namespace
}  // namespace alcove
