#include "sheets/roster_match.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace alcove::sheets {
namespace {

using Names = std::vector<std::string>;
using Reasons = std::vector<std::string>;

const Names kClass{"2101", "2102", "2103", "2104", "2105", "2106", "2107"};

// A reader that is sure of every digit but those given as rivals: "2?02" with {{1, '1', '7', 0.4}}.
struct Doubt {
  std::size_t at;
  char rival;
  float share;
};

BoxEvidence box(std::string text, const std::vector<Doubt>& doubts = {}, double weight = 1) {
  Posteriors made{.rows = {}, .alphabet = "0123456789"};
  const auto add = [&](char symbol) {
    std::vector<float> row(made.classes(), 1e-5F);
    row[symbol == 0 ? 0 : made.alphabet.find(symbol) + 1] = 1 - 1e-4F;
    made.rows.insert(made.rows.end(), row.begin(), row.end());
  };
  add(0);
  for (std::size_t at = 0; at < text.size(); ++at) {
    add(text[at]);
    for (const auto& doubt : doubts) {
      if (doubt.at != at) continue;
      auto* row = made.rows.data() + made.rows.size() - made.classes();
      row[made.alphabet.find(text[at]) + 1] -= doubt.share;
      row[made.alphabet.find(doubt.rival) + 1] += doubt.share;
    }
    add(0);
  }
  return {.posteriors = std::move(made), .text = std::move(text), .weight = weight};
}

ListScores paper(std::string text, const std::vector<Doubt>& doubts = {}, const Names& names = kClass) {
  return score_list(ValueTree(names), {.boxes = {box(std::move(text), doubts)}});
}

TEST(ScoreList, PutsTheLikeliestFirstAndKeepsFive) {
  const auto scores = paper("2102", {{3, '7', 0.3F}});
  EXPECT_EQ(scores.raw, "2102");
  ASSERT_GE(scores.best.size(), kBestShown);
  EXPECT_EQ(scores.best[0].entry, 1U);
  EXPECT_EQ(scores.best[1].entry, 6U) << "the digit's rival, not the neighbour";
  EXPECT_NEAR(scores.best[1].log_probability, std::log(0.3), 0.01);
}

TEST(ScoreList, ADateBesideTheNumberDoesNoHarm) {
  const ValueTree list(kClass);
  const FieldEvidence evidence{.boxes = {box("2103", {}, 0.3), box("1511", {}, 0.9)}};
  const auto scores = score_list(list, evidence);
  EXPECT_EQ(scores.raw, "1511");
  EXPECT_EQ(scores.best[0].entry, 2U);
  EXPECT_NEAR(scores.best[0].log_probability, std::log(0.25), 0.01) << "the box's share of the weights";
}

TEST(ScoreList, WithoutABoxNothingIsKnown) {
  const auto scores = score_list(ValueTree(kClass), {});
  EXPECT_FALSE(scores.has_box);
  EXPECT_TRUE(scores.best.empty());
}

TEST(PlacePapers, ADoubtfulDigitIsSettledByWhoseNumberIsTaken) {
  // Alone the first paper looks a little more like 2107; but that one is surely somebody else's.
  const std::vector papers{paper("2107", {{3, '1', 0.45F}}), paper("2107"), paper("2103")};
  const auto placed = place_papers(papers, kClass.size());
  EXPECT_EQ(placed[0].entry, 0U);
  EXPECT_EQ(placed[1].entry, 6U);
  EXPECT_EQ(placed[2].entry, 2U);
  EXPECT_EQ(placed[2].reasons, Reasons{});
  EXPECT_GT(placed[2].margin, kPosteriorThresholds.margin);
  EXPECT_EQ(placed[0].reasons, Reasons{}) << "it gives up next to nothing";
}

TEST(PlacePapers, ADoubtThatNobodySettlesGoesToReview) {
  const std::vector papers{paper("2107", {{3, '1', 0.45F}})};
  const auto placed = place_papers(papers, kClass.size());
  EXPECT_EQ(placed[0].entry, 6U);
  EXPECT_EQ(placed[0].reasons, Reasons{"low_margin"});
  EXPECT_NEAR(placed[0].margin, std::log(0.55 / 0.45), 0.01);
}

TEST(PlacePapers, TwoPapersWithOneNumberGoToReviewTogether) {
  const std::vector papers{paper("2103"), paper("2105"), paper("2103")};
  const auto placed = place_papers(papers, kClass.size());
  for (const std::size_t each : {0U, 2U}) {
    EXPECT_NE(std::ranges::find(placed[each].reasons, "already_taken"), placed[each].reasons.end()) << each;
    EXPECT_EQ(placed[each].rival, 2 - each) << "each names the other";
  }
  EXPECT_EQ(placed[1].reasons, Reasons{});
}

TEST(PlacePapers, WhoIsNotOnTheListIsNobody) {
  const std::vector papers{paper("9876"), paper(""), paper("2101")};
  const auto placed = place_papers(papers, kClass.size());
  EXPECT_EQ(placed[0].entry, std::nullopt);
  EXPECT_EQ(placed[0].reasons, Reasons{"not_in_roster"});
  EXPECT_EQ(placed[1].entry, std::nullopt) << "blank";
  EXPECT_EQ(placed[2].entry, 0U);
}

TEST(PlacePapers, MorePapersThanNamesLoseNothing) {
  const Names few{"2101", "2102"};
  std::vector<ListScores> papers;
  for (int i = 0; i < 5; ++i) papers.push_back(paper("2101", {{3, '2', 0.3F}}, few));
  const auto placed = place_papers(papers, few.size());
  ASSERT_EQ(placed.size(), 5U);
  EXPECT_EQ(std::ranges::count_if(placed, [](const Placement& each) { return each.entry.has_value(); }), 2);
  for (const auto& each : placed) EXPECT_NE(each.reasons, Reasons{});
}

TEST(PlacePapers, AConfirmationSettlesTheOthers) {
  // Two papers that could each be either of two people.
  const std::vector papers{paper("2101", {{3, '7', 0.5F}}), paper("2107", {{3, '1', 0.5F}})};
  for (const auto& each : place_papers(papers, kClass.size())) EXPECT_EQ(each.reasons, Reasons{"low_margin"});
  const std::vector<Confirmed> confirmed{{0, 6U}};
  const auto placed = place_papers(papers, kClass.size(), confirmed);
  EXPECT_EQ(placed[0].entry, 6U);
  EXPECT_EQ(placed[0].reasons, Reasons{});
  EXPECT_EQ(placed[1].entry, 0U);
  EXPECT_EQ(placed[1].reasons, Reasons{}) << "one answer by a person was enough for both";
}

TEST(PlacePapers, ANameThatWasConfirmedIsTaken) {
  const std::vector papers{paper("2103"), paper("2105")};
  const std::vector<Confirmed> confirmed{{1, 2U}};
  const auto placed = place_papers(papers, kClass.size(), confirmed);
  EXPECT_EQ(placed[1].entry, 2U);
  EXPECT_NE(placed[0].entry, 2U);
  EXPECT_NE(std::ranges::find(placed[0].reasons, "already_taken"), placed[0].reasons.end());
  EXPECT_EQ(placed[0].rival, 1U);
  EXPECT_EQ(placed[1].reasons, Reasons{}) << "a person has spoken";
}

TEST(PlaceAlone, ASubjectIsTheLikeliestOfTheList) {
  const Names subjects{"2101", "5500", "7777"};
  const ValueTree list(subjects);
  EXPECT_EQ(place_alone(score_list(list, {.boxes = {box("5500")}})).entry, 1U);
  EXPECT_EQ(place_alone(score_list(list, {.boxes = {box("5501", {{3, '0', 0.2F}})}})).entry, 1U);
  EXPECT_EQ(place_alone(score_list(list, {.boxes = {box("9999")}})).reasons, Reasons{"subject_not_listed"});
  EXPECT_EQ(place_alone(score_list(list, {})).reasons, Reasons{"subject_not_listed"});
  const Names neighbours{"5501", "5502"};
  EXPECT_EQ(
      place_alone(score_list(ValueTree(neighbours), {.boxes = {box("5501", {{3, '2', 0.4F}})}})).reasons,
      Reasons{"low_subject_margin"});
}

TEST(TextEvidence, IsScoredThroughTheErrorModel) {
  const ValueTree list(kClass);
  const auto right = score_list(list, evidence_of_text("2103", "0123456789"));
  EXPECT_TRUE(right.text_only);
  EXPECT_EQ(right.best[0].entry, 2U);
  const auto slipped = score_list(list, evidence_of_text("2193", "0123456789"));
  EXPECT_EQ(slipped.best[0].entry, 2U) << "one digit wrong";
  const auto lost = score_list(list, evidence_of_text("213", "0123456789"));
  EXPECT_EQ(lost.best[0].entry, 2U) << "one digit lost";
}

TEST(Evidence, ComesFromTheCandidatesOfAReading) {
  FieldReading field;
  Candidate one;
  one.value = "21";
  one.classes = 11;
  one.posteriors = box("21").posteriors.rows;
  one.detection_confidence = 0.8F;
  field.candidates = {one, Candidate{}};
  const auto evidence = evidence_of(field);
  ASSERT_EQ(evidence.boxes.size(), 1U) << "a candidate without posteriors says nothing";
  EXPECT_EQ(evidence.boxes[0].posteriors.alphabet, "0123456789");
  EXPECT_NEAR(evidence.boxes[0].weight, 0.8, 1e-6);
  EXPECT_EQ(best_path(evidence.boxes[0].posteriors), "21");
}

}  // namespace
}  // namespace alcove::sheets
