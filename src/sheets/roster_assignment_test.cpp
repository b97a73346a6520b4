#include "sheets/roster_assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace alcove::sheets {
namespace {

using Papers = std::vector<PaperChoices>;

// Every way to deal the names out.
double cheapest(const Papers& papers, std::size_t paper, std::vector<bool>& taken) {
  if (paper == papers.size()) return 0;
  double best = papers[paper].no_name + cheapest(papers, paper + 1, taken);
  for (const auto& [name, cost] : papers[paper].names) {
    if (taken[name]) continue;
    taken[name] = true;
    best = std::min(best, cost + cheapest(papers, paper + 1, taken));
    taken[name] = false;
  }
  return best;
}
double cheapest(const Papers& papers, std::size_t names) {
  std::vector<bool> taken(names, false);
  return cheapest(papers, 0, taken);
}

Papers random_papers(std::mt19937& random, std::size_t count, std::size_t names, bool whole_numbers) {
  std::uniform_real_distribution<double> cost(-3, 10);
  std::bernoulli_distribution has_choice(0.6);
  const auto draw = [&] { return whole_numbers ? std::round(cost(random) / 3) : cost(random); };
  Papers papers(count);
  for (auto& paper : papers) {
    paper.no_name = draw() + 4;
    for (std::size_t name = 0; name < names; ++name)
      if (has_choice(random)) paper.names.push_back({name, draw()});
  }
  return papers;
}

double cost_of(const Papers& papers, const Assignment& assignment) {
  double sum = 0;
  for (std::size_t paper = 0; paper < papers.size(); ++paper) {
    const auto name = assignment.names[paper];
    sum += name ? std::ranges::find(papers[paper].names, *name, &Choice::name)->cost : papers[paper].no_name;
  }
  return sum;
}

void expect_one_to_one(const Assignment& assignment) {
  std::vector<std::size_t> given;
  for (const auto& name : assignment.names)
    if (name) given.push_back(*name);
  std::ranges::sort(given);
  EXPECT_EQ(std::ranges::adjacent_find(given), given.end()) << "a name was given twice";
}

TEST(RosterAssignment, IsTheCheapestOfAllAndItsMarginsAreThoseOfSolvingAgain) {
  std::mt19937 random(11);
  for (int round = 0; round < 400; ++round) {
    const std::size_t count = 1 + round % 6, names = 1 + round / 7 % 5;  // often more papers than names
    const auto papers = random_papers(random, count, names, round % 2 == 0);
    const AssignmentSolver solver(papers, names);
    const auto& solved = solver.assignment();
    expect_one_to_one(solved);
    const double best = cheapest(papers, names);
    ASSERT_NEAR(solved.cost, best, 1e-9) << "round " << round;
    ASSERT_NEAR(cost_of(papers, solved), best, 1e-9);

    const auto changes = solver.cheapest_changes();
    for (std::size_t paper = 0; paper < count; ++paper) {
      auto barred = papers;
      const auto own = solved.names[paper];
      if (own) {
        std::erase_if(barred[paper].names, [&](const Choice& choice) { return choice.name == *own; });
      } else {
        barred[paper].no_name = 1e6;
      }
      const double again = cheapest(barred, names);
      if (again > 1e5) {
        EXPECT_FALSE(changes[paper]) << "there is nowhere else to go";
        continue;
      }
      ASSERT_TRUE(changes[paper]);
      ASSERT_NEAR(changes[paper]->cost, again - best, 1e-9) << "round " << round << " paper " << paper;
      EXPECT_NE(changes[paper]->name, own);
      if (changes[paper]->holder) {
        EXPECT_EQ(solved.names[*changes[paper]->holder], changes[paper]->name) << "the holder has it now";
      }
      // Taking the change is what it says it costs.
      auto taken = papers;
      std::erase_if(taken[paper].names,
                    [&](const Choice& choice) { return choice.name != changes[paper]->name; });
      if (changes[paper]->name) taken[paper].no_name = 1e6;
      EXPECT_NEAR(cheapest(taken, names), again, 1e-9);
    }
  }
}

TEST(RosterAssignment, GivesTheSecondBestWhereItHurtsLeast) {
  // Both papers look like name 0; the second can do with name 1.
  const Papers papers{{{{0, 1}, {1, 9}}, 20}, {{{0, 0.5}, {1, 2}}, 20}};
  const AssignmentSolver solver(papers, 2);
  EXPECT_EQ(solver.assignment().names[0], 0U);
  EXPECT_EQ(solver.assignment().names[1], 1U);
  const auto change = solver.cheapest_changes()[0];
  ASSERT_TRUE(change);
  EXPECT_EQ(change->name, 1U);
  EXPECT_EQ(change->holder, 1U);
  EXPECT_DOUBLE_EQ(change->cost, (9 + 0.5) - (1 + 2));
}

TEST(RosterAssignment, TwoPapersAlikeHaveNoMargin) {
  const Papers papers{{{{0, 1}}, 10}, {{{0, 1}}, 10}};
  const auto changes = AssignmentSolver(papers, 1).cheapest_changes();
  EXPECT_EQ(changes[0]->cost, 0);
  EXPECT_EQ(AssignmentSolver(papers, 1).assignment().cost, 11);
}

TEST(RosterAssignment, NothingToAssign) {
  EXPECT_EQ(AssignmentSolver(Papers{}, 3).assignment().cost, 0);
  const Papers nameless{{{}, 2}};
  const AssignmentSolver solver(nameless, 0);
  EXPECT_FALSE(solver.assignment().names[0]);
  EXPECT_FALSE(solver.cheapest_changes()[0]);
}

// A class in which everybody's number looks like the next one's: long ways through the whole class.
TEST(RosterAssignment, AWholeClassOfNeighbours) {
  constexpr std::size_t kNames = 600;
  Papers papers(kNames);
  for (std::size_t paper = 0; paper < kNames; ++paper) {
    papers[paper].no_name = 50;
    papers[paper].names.push_back({paper, 1});
    if (paper + 1 < kNames) papers[paper].names.push_back({paper + 1, 0});
  }
  const AssignmentSolver solver(papers, kNames);
  // All but one move up at cost 0, or everybody keeps their own at 1; dropping one costs 50.
  EXPECT_DOUBLE_EQ(solver.assignment().cost, 50.0);
}

}  // namespace
}  // namespace alcove::sheets
