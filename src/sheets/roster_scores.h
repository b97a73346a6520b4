#pragma once
// How well a reader's output fits each value of a list: CTC forward probabilities.
//
// Graves et al., "Connectionist Temporal Classification", ICML 2006, section 4.1: the probability of a text
// is the sum over all ways to write it along the steps with repeats and blanks. Edit distance would do no
// good here: the numbers of one class are neighbours.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace alcove::sheets {

// What a line reader said, step by step.
struct Posteriors {
  std::vector<float> rows;  // [steps, classes], each row a distribution; class 0 is the blank
  std::string alphabet;     // class k is alphabet[k − 1]

  std::size_t classes() const { return alphabet.size() + 1; }
  std::size_t steps() const { return rows.size() / classes(); }
};

// Natural logarithm of a probability; kImpossible stands for everything below 1e−300 and for texts with a
// symbol that the alphabet lacks.
inline constexpr double kImpossible = -690;

// The values of one list, as a tree in which shared beginnings stand once. A value may come twice; an empty
// one is the blank box. Safe from any thread once made.
class ValueTree {
 public:
  explicit ValueTree(std::span<const std::string> values);

  // For each value, in the list's order. Time and no memory that grows with the list: one pass along the
  // steps for each node.
  std::vector<double> log_probabilities(const Posteriors& posteriors) const;

  std::size_t nodes() const { return nodes_.size(); }

 private:
  struct Node {
    char symbol = 0;
    std::size_t depth = 0;                 // symbols so far
    std::vector<std::size_t> values = {};  // that end here
  };
  std::vector<Node> nodes_;  // depth first, the root left out
  std::vector<std::size_t> empty_values_;
  std::size_t count_ = 0, deepest_ = 0;
};

// The same for one text.
double log_probability(const Posteriors& posteriors, std::string_view text);

// The likeliest text along the best path (greedy), which is what raw readings are.
std::string best_path(const Posteriors& posteriors);

// How often a reader that gives its text alone goes wrong, for each symbol of what was written.
struct ErrorRates {
  double wrong = 0.012;    // read as another symbol, each as likely
  double lost = 0.004;     // left out
  double made_up = 0.002;  // read where there was none
};

// What a reader would have said that makes these errors and read `text`: so that the same scoring serves
// readings that come as text. Symbols that the alphabet lacks are taken for unreadable.
Posteriors posteriors_of_text(std::string_view text, std::string_view alphabet, const ErrorRates& rates = {});

}  // namespace alcove::sheets
