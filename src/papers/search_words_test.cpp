#include "papers/search_words.h"

#include <gtest/gtest.h>

namespace alcove::papers {
namespace {

using Words = std::vector<std::string>;

TEST(SearchWords, AreThoseThatSaySomething) {
  EXPECT_EQ(search_words("What is the Self-Supervised learning of learning?"),
            (Words{"self", "supervised", "learning", "selfsupervised"}));
  EXPECT_EQ(search_words("to be or not to be"), (Words{"to", "be", "or", "not"}));
  EXPECT_EQ(search_words("- -- a- 😀"), Words{"a"});
  EXPECT_EQ(search_words(""), Words{});
}

TEST(NearestWord, ForgivesWhatFingersDo) {
  const std::vector<std::pair<std::string, std::int64_t>> words{
      {"transformers", 90}, {"graph", 50}, {"grasp", 4}, {"diffusion", 30}, {"attention", 70}, {"net", 99}};
  EXPECT_EQ(nearest_word("transfomers", words), "transformers");
  EXPECT_EQ(nearest_word("trasnfomer", words), "");
  EXPECT_EQ(nearest_word("trasnfomers", words), "transformers");
  EXPECT_EQ(nearest_word("gaph", words), "graph");
  EXPECT_EQ(nearest_word("grahp", words), "graph");
  EXPECT_EQ(nearest_word("graps", words), "graph") << "as near as grasp, and more frequent";
  EXPECT_EQ(nearest_word("difusion", words), "diffusion");
  EXPECT_EQ(nearest_word("atention", words), "attention");
  EXPECT_EQ(nearest_word("xyzzyx", words), "");
  EXPECT_EQ(nearest_word("nt", words), "");
  EXPECT_EQ(nearest_word("", words), "");
  EXPECT_EQ(nearest_word(std::string(100, 'x'), words), "");
}

TEST(Sentences, EndWhereTheNextBegins) {
  const auto found = sentences("We show it. Results by J. Smith et al. are 3.5 better! Is it? yes.");
  EXPECT_EQ(found, (std::vector<std::string_view>{"We show it.", "Results by J. Smith et al. are 3.5 better!",
                                                  "Is it? yes."}));
  EXPECT_TRUE(sentences("").empty());
  EXPECT_EQ(sentences("no end").size(), 1u);
}

}  // namespace
}  // namespace alcove::papers
