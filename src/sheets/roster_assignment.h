#pragma once
// One-to-one assignment of papers to names at the least cost, and what it would cost to change it.
//
// Successive shortest augmenting paths over sparse costs, as in Jonker and Volgenant, "A shortest augmenting
// path algorithm for dense and sparse linear assignment problems", Computing 38, 1987.

#include <optional>
#include <span>
#include <vector>

namespace alcove::sheets {

struct Choice {
  std::size_t name = 0;
  double cost = 0;  // of any sign, finite
};

struct PaperChoices {
  std::vector<Choice> names;  // each name at most once; names not listed are out of the question
  double no_name = 0;         // what it costs to give the paper none
};

// The cheapest other solution in which a paper does not have what it was given.
struct Change {
  std::optional<std::size_t> name;    // what the paper would have instead; none: no name
  std::optional<std::size_t> holder;  // the paper that has that name now
  double cost = 0;                    // by how much the whole gets dearer; 0: just as good
};

struct Assignment {
  std::vector<std::optional<std::size_t>> names;  // for each paper; none: no name
  double cost = 0;                                // of all papers together
};

// Exact. There may be more papers than names. `names` is how many there are; every choice lies below it. The
// papers have to outlive the solver.
class AssignmentSolver {
 public:
  AssignmentSolver(std::span<const PaperChoices> papers, std::size_t names);

  const Assignment& assignment() const { return assignment_; }
  // For each paper. None when it has nothing else to go to. The cost is the swap margin: that others lose
  // their names by it is counted.
  std::vector<std::optional<Change>> cheapest_changes() const;

 private:
  struct Search;
  struct End;  // where a search for a new place arrived
  End search(std::size_t start, Search& state, std::optional<std::size_t> freed, bool may_have_none) const;
  void place(std::size_t paper, Search& state);
  std::optional<Change> cheapest_change(std::size_t paper, Search& state) const;

  std::span<const PaperChoices> papers_;
  Assignment assignment_;
  std::vector<std::optional<std::size_t>> holders_;  // of each name
  // Dual prices: cost − of_paper − of_name is at least 0, and 0 where assigned.
  std::vector<double> of_paper_, of_name_;
};

}  // namespace alcove::sheets
