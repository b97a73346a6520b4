#include "text/normalise.h"

#include "text/testing.h"

namespace alcove::text {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  split_words(text, [&](std::string_view word) {
    words.emplace_back(word);
    return true;
  });
  return words;
}

TEST(Normalise, AsTheRealTokenizerDoes) {
  const auto cases = golden_tokens("normalised");
  ASSERT_GT(cases.size(), 200U);
  for (const auto& each : cases) {
    const auto& on = each.at("switches");
    const Normalisation how{on.at(0), on.at(1), on.at(2), on.at(3)};
    EXPECT_EQ(normalise(each.at("text").get<std::string>(), how), each.at("normalised").get<std::string>())
        << each.dump();
  }
}

TEST(Normalise, BytesThatAreNoTextGoWithTheControls) {
  EXPECT_EQ(normalise("\xff\xfeGr\xc3", {}), "gr");
  EXPECT_EQ(normalise("\xff", {.clean = false}), "\uFFFD");
}

TEST(SplitWords, BlanksEndWordsAndPunctuationStandsAlone) {
  EXPECT_EQ(words_of("don't  stop."), (std::vector<std::string>{"don", "'", "t", "stop", "."}));
  EXPECT_EQ(words_of(" \t "), std::vector<std::string>{});
  EXPECT_EQ(words_of("¿qué?"), (std::vector<std::string>{"¿", "qué", "?"}));
}

TEST(SplitWords, EndsWhenTold) {
  int words = 0;
  split_words("a b c", [&](std::string_view) { return ++words < 2; });
  EXPECT_EQ(words, 2);
  words = 0;
  split_words("a.b", [&](std::string_view) { return ++words < 2; });
  EXPECT_EQ(words, 2);
}

}  // namespace
}  // namespace alcove::text
