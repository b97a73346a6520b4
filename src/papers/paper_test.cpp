#include "papers/paper.h"

#include <gtest/gtest.h>

namespace alcove::papers {
namespace {

TEST(ReadVenue, PartsTheDecisionFromTheVenue) {
  const auto read = [](std::string_view text) {
    const auto [venue, decision] = read_venue(text);
    return venue + "|" + decision;
  };
  EXPECT_EQ(read("NeurIPS 2025 poster"), "NeurIPS 2025|poster");
  EXPECT_EQ(read("ICLR 2024  Oral"), "ICLR 2024|oral");
  EXPECT_EQ(read("ICLR 2023 notable top 25%"), "ICLR 2023|spotlight");
  EXPECT_EQ(read("Submitted to ICLR 2024"), "ICLR 2024|submitted");
  EXPECT_EQ(read("ICLR 2024 Conference Withdrawn Submission"), "ICLR 2024|withdrawn");
  EXPECT_EQ(read("Neural Computation"), "Neural Computation|");
  EXPECT_EQ(read("ÎCLR poster"), "ÎCLR poster|");
  EXPECT_EQ(read(""), "|");
}

TEST(YearIn, TakesTheLastYearThereIs) {
  EXPECT_EQ(year_in("NeurIPS.cc/2025/Conference"), 2025);
  EXPECT_EQ(year_in("1997-11-15"), 1997);
  EXPECT_EQ(year_in("arXiv 1706.03762"), std::nullopt);
  EXPECT_EQ(year_in("17063"), std::nullopt);
}

TEST(NameFor, IsAKeyThatPeopleRecognise) {
  EXPECT_EQ(name_for({.title = "Attention Is All You Need", .authors = {"Ashish Vaswani"}, .year = 2017}),
            "vaswani2017attention");
  EXPECT_EQ(name_for({.title = "The t-SNE", .authors = {"Laurens van der Maaten"}}), "vandermaatenthetsne");
  EXPECT_EQ(name_for({.title = "深層学習"}), "paper");
}

TEST(TextHash, TellsPapersApart) {
  const Paper paper{.id = "a", .title = "One", .abstract = "Two", .keywords = {"x", "y"}};
  auto other = paper;
  EXPECT_EQ(text_hash(paper), text_hash(other));
  other.modified = 7;
  EXPECT_EQ(text_hash(paper), text_hash(other));
  other.keywords = {"xy"};
  EXPECT_NE(text_hash(paper), text_hash(other));
  other = paper;
  other.title = "OneTwo", other.abstract = "";
  EXPECT_NE(text_hash(paper), text_hash(other));
}

}  // namespace
}  // namespace alcove::papers
