#include "sheets/roster_assignment.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <queue>
#include <utility>

namespace alcove::sheets {
namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();
constexpr std::size_t kPool = std::numeric_limits<std::size_t>::max();

}  // namespace

// A search's notes, kept between searches so that each pays only for the places it touches. Places are
// numbered: the names, then the pool (below), then the papers without a name.
struct AssignmentSolver::Search {
  Search(std::size_t names, std::size_t papers)
      : pool(names),
        distance(names + 1 + papers, kFar),
        from(names + 1 + papers),
        settled(names + 1 + papers, 0) {}

  void reset() {
    for (const auto place : touched) {
      distance[place] = kFar;
      settled[place] = 0;
    }
    touched.clear();
  }

  std::size_t pool;
  std::vector<double> distance;   // in reduced costs
  std::vector<std::size_t> from;  // the paper a name was reached from; kPool: the pool
  std::vector<char> settled;
  std::vector<std::size_t> touched;
  std::optional<std::size_t> pool_name;  // what the paper took that reached the pool; none: no name
};

// Where the cheapest way from a paper ends: the last paper on it, and what that one takes.
struct AssignmentSolver::End {
  double distance = kFar;
  std::optional<std::size_t> name;
  std::size_t paper = 0;
};

// Dijkstra along alternating paths. The pool is all that is free: names nobody holds, and having no name; a
// way that reaches it may end there. `freed` is the name that the start gives up. Others may take it, as if
// it had no price; the start may not. When that name is sought after (its price is below 0), a way may also
// lead on from the pool: somebody gives up a name, or having none, and so down to who takes the freed one.
AssignmentSolver::End AssignmentSolver::search(std::size_t start, Search& state,
                                               std::optional<std::size_t> freed, bool may_have_none) const {
  state.reset();
  using Reached = std::pair<double, std::size_t>;
  std::priority_queue<Reached, std::vector<Reached>, std::greater<>> queue;
  const auto reach = [&](std::size_t place, double distance, std::size_t from) {
    if (distance >= state.distance[place] || state.settled[place]) return false;
    if (state.distance[place] == kFar) state.touched.push_back(place);
    state.distance[place] = distance;
    state.from[place] = from;
    queue.emplace(distance, place);
    return true;
  };
  End end;
  const auto end_at = [&](double distance, std::optional<std::size_t> name, std::size_t paper) {
    if (distance < end.distance) end = {distance, name, paper};
  };
  const auto leave = [&](std::size_t paper, double distance) {
    const double base = distance - of_paper_[paper];
    const bool has_none = paper != start && !assignment_.names[paper];
    if ((paper != start || may_have_none) && !has_none &&
        reach(state.pool, base + papers_[paper].no_name, paper))
      state.pool_name = std::nullopt;
    for (const auto& choice : papers_[paper].names) {
      if (freed == choice.name) {
        if (paper != start) end_at(base + choice.cost, choice.name, paper);
      } else if (holders_[choice.name]) {
        reach(choice.name, base + choice.cost - of_name_[choice.name], paper);
      } else if (reach(state.pool, base + choice.cost, paper)) {
        state.pool_name = choice.name;
      }
    }
  };
  const auto leave_pool = [&](double distance) {
    for (std::size_t name = 0; name < holders_.size(); ++name)
      if (holders_[name] && freed != name) reach(name, distance - of_name_[name], kPool);
    for (std::size_t paper = 0; paper < papers_.size(); ++paper)
      if (paper != start && !assignment_.names[paper])
        reach(state.pool + 1 + paper, distance - papers_[paper].no_name + of_paper_[paper], kPool);
  };
  // The freed name's price is all by which a way may still get shorter.
  const double discount = freed ? of_name_[*freed] : 0;
  leave(start, 0);
  while (!queue.empty()) {
    const auto [distance, place] = queue.top();
    queue.pop();
    if (distance + discount >= end.distance) break;
    if (std::exchange(state.settled[place], 1)) continue;
    if (place < state.pool) {
      leave(*holders_[place], distance);
    } else if (place > state.pool) {
      leave(place - state.pool - 1, distance);
    } else {
      end_at(distance, state.pool_name, state.from[place]);
      if (discount < 0) leave_pool(distance);
    }
  }
  return end;
}

void AssignmentSolver::place(std::size_t paper, Search& state) {
  const auto end = search(paper, state, std::nullopt, true);
  // Prices first: along the tree every reduced cost stays at least 0, on the path it becomes 0.
  for (const auto name : state.touched) {
    if (name >= state.pool || !state.settled[name]) continue;
    const double gain = end.distance - state.distance[name];
    of_name_[name] -= gain;
    of_paper_[*holders_[name]] += gain;
  }
  of_paper_[paper] += end.distance;
  // Then everybody on the path moves up by one.
  auto mover = end.paper;
  auto name = end.name;
  for (;;) {
    const auto left = std::exchange(assignment_.names[mover], name);
    if (name) holders_[*name] = mover;
    if (mover == paper) break;
    name = left;
    mover = state.from[*left];
  }
}

AssignmentSolver::AssignmentSolver(std::span<const PaperChoices> papers, std::size_t names)
    : papers_(papers), holders_(names), of_paper_(papers.size(), 0), of_name_(names, 0) {
  assignment_.names.resize(papers.size());
  Search state(names, papers.size());
  for (std::size_t paper = 0; paper < papers.size(); ++paper) place(paper, state);
  for (std::size_t paper = 0; paper < papers.size(); ++paper) {
    const auto name = assignment_.names[paper];
    const auto& choices = papers[paper].names;
    assignment_.cost += name ? std::ranges::find(choices, *name, &Choice::name)->cost : papers[paper].no_name;
  }
}

std::vector<std::optional<Change>> AssignmentSolver::cheapest_changes() const {
  std::vector<std::optional<Change>> changes;
  Search state(holders_.size(), papers_.size());
  for (std::size_t paper = 0; paper < papers_.size(); ++paper)
    changes.push_back(cheapest_change(paper, state));
  return changes;
}

std::optional<Change> AssignmentSolver::cheapest_change(std::size_t paper, Search& state) const {
  const auto own = assignment_.names[paper];
  const auto end = search(paper, state, own, own.has_value());
  if (end.distance == kFar) return std::nullopt;
  // Back along the way to what the paper itself takes.
  auto mover = end.paper;
  auto name = end.name;
  while (mover != paper) {
    name = assignment_.names[mover];
    const auto from = name ? state.from[*name] : kPool;
    mover = from == kPool ? state.from[state.pool] : from;
    if (from == kPool) name = state.pool_name;
  }
  // What the papers on the way now pay, less what they paid: the prices between cancel out.
  const double price = own ? of_name_[*own] : 0;
  return Change{.name = name,
                .holder = name ? holders_[*name] : std::nullopt,
                .cost = std::max(0.0, end.distance - price)};  // rounding may take it below
}

}  // namespace alcove::sheets
