#include "text/fold.h"

#include <gtest/gtest.h>

namespace alcove::text {
namespace {

using Words = std::vector<std::string>;

TEST(Fold, ForgetsCaseAccentsAndWidth) {
  EXPECT_EQ(fold("Łukasz MÜLLER Straße"), "lukasz muller strasse");
  EXPECT_EQ(fold("Bjørn Ægir ﬁnds Ｆｕｌｌ"), "bjorn aegir finds full");
  EXPECT_EQ(fold("plain ASCII 42"), "plain ascii 42");
  EXPECT_EQ(fold(""), "");
}

TEST(Fold, ReadsBrokenBytesAsUnknownLetters) {
  EXPECT_EQ(fold("A\xFF"), "a\xEF\xBF\xBD");
  EXPECT_EQ(fold(std::string_view("\xC3", 1)), "\xEF\xBF\xBD");
}

TEST(FoldedWords, PartsAtWhateverIsNoLetterOrDigit) {
  EXPECT_EQ(folded_words("Self-Supervised  U-Net++ (2015)"),
            (Words{"self", "supervised", "u", "net", "2015"}));
  EXPECT_EQ(folded_words("Müller’s cat's 深層 学習"), (Words{"mullers", "cats", "深層", "学習"}));
  EXPECT_EQ(folded_words(" \t\n-–\xFF😀"), Words{});
}

TEST(Compose, UndoesDecompose) {
  EXPECT_EQ(decompose("é"), "e\xCC\x81");
  EXPECT_EQ(compose("e\xCC\x81"), "é");
  EXPECT_EQ(length("e\xCC\x81😀"), 3u);
}

}  // namespace
}  // namespace alcove::text
