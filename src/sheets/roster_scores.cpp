#include "sheets/roster_scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace alcove::sheets {
namespace {

// No reader is surer than that; it also keeps a product over the steps within what a double holds.
constexpr double kLeastPosterior = 1e-7;
constexpr double kLeast = 1e-300;

double log_of(double probability) { return probability > kLeast ? std::log(probability) : kImpossible; }

// The steps' probabilities, one row for each class, so that a pass along the steps reads memory in order.
class Steps {
 public:
  explicit Steps(const Posteriors& posteriors)
      : count_(posteriors.steps()),
        alphabet_(posteriors.alphabet),
        values_(count_ * posteriors.classes()),
        none_(count_, 0.0) {
    for (std::size_t step = 0; step < count_; ++step)
      for (std::size_t each = 0; each < posteriors.classes(); ++each)
        values_[each * count_ + step] =
            std::max<double>(posteriors.rows[step * posteriors.classes() + each], kLeastPosterior);
  }

  std::size_t count() const { return count_; }
  const double* blank() const { return values_.data(); }
  const double* of(char symbol) const {
    const auto found = alphabet_.find(symbol);
    return found == std::string_view::npos ? none_.data() : values_.data() + (found + 1) * count_;
  }

 private:
  std::size_t count_;
  std::string_view alphabet_;
  std::vector<double> values_;
  std::vector<double> none_;
};

// The probability that the steps 0..t wrote exactly this beginning, by what the last step was.
struct Written {
  std::vector<double> in_symbol, in_blank;

  double total() const { return in_symbol.empty() ? 1 : in_symbol.back() + in_blank.back(); }
};

void write_nothing(const Steps& steps, Written& empty) {
  empty.in_symbol.assign(steps.count(), 0);
  empty.in_blank.resize(steps.count());
  std::partial_sum(steps.blank(), steps.blank() + steps.count(), empty.in_blank.begin(), std::multiplies{});
}

// One symbol more than `before`, which ends in `last`. A symbol that repeats the last needs a blank between.
void write_symbol(const Steps& steps, const Written& before, char last, char symbol, Written& after) {
  after.in_symbol.resize(steps.count());
  after.in_blank.resize(steps.count());
  const auto *here = steps.of(symbol), *blank = steps.blank();
  const double may_touch = symbol == last ? 0 : 1;
  double in_symbol = 0, in_blank = 0;
  double entering = last == 0 ? 1 : 0;  // what was written before step 0
  for (std::size_t step = 0; step < steps.count(); ++step) {
    const double new_blank = blank[step] * (in_blank + in_symbol);
    in_symbol = here[step] * (in_symbol + entering);
    in_blank = new_blank;
    entering = before.in_blank[step] + may_touch * before.in_symbol[step];
    after.in_symbol[step] = in_symbol;
    after.in_blank[step] = in_blank;
  }
}

}  // namespace

ValueTree::ValueTree(std::span<const std::string> values) : count_(values.size()) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t each) -> const std::string& { return values[each]; });
  std::string_view before;
  for (const auto each : order) {
    const std::string_view value = values[each];
    const auto shared = static_cast<std::size_t>(std::ranges::mismatch(value, before).in1 - value.begin());
    for (auto depth = shared; depth < value.size(); ++depth)
      nodes_.push_back({.symbol = value[depth], .depth = depth + 1});
    (value.empty() ? empty_values_ : nodes_.back().values).push_back(each);
    deepest_ = std::max(deepest_, value.size());
    before = value;
  }
}

std::vector<double> ValueTree::log_probabilities(const Posteriors& posteriors) const {
  std::vector<double> found(count_, kImpossible);
  const Steps steps(posteriors);
  // The beginning of each length on the way to the current node, and the symbol it ends in.
  std::vector<Written> written(deepest_ + 1);
  std::string path(deepest_ + 1, '\0');
  write_nothing(steps, written[0]);
  const double empty = log_of(steps.count() == 0 ? 1 : written[0].in_blank.back());
  for (const auto value : empty_values_) found[value] = empty;
  if (steps.count() == 0) return found;
  for (const auto& node : nodes_) {
    path[node.depth] = node.symbol;
    write_symbol(steps, written[node.depth - 1], path[node.depth - 1], node.symbol, written[node.depth]);
    for (const auto value : node.values) found[value] = log_of(written[node.depth].total());
  }
  return found;
}

double log_probability(const Posteriors& posteriors, std::string_view text) {
  const std::string value(text);
  return ValueTree(std::span(&value, 1)).log_probabilities(posteriors).front();
}

std::string best_path(const Posteriors& posteriors) {
  std::string text;
  const auto classes = posteriors.classes();
  std::size_t before = 0;
  for (std::size_t step = 0; step < posteriors.steps(); ++step) {
    const auto row = std::span(posteriors.rows).subspan(step * classes, classes);
    const auto best = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
    if (best != 0 && best != before) text += posteriors.alphabet[best - 1];
    before = best;
  }
  return text;
}

Posteriors posteriors_of_text(std::string_view text, std::string_view alphabet, const ErrorRates& rates) {
  Posteriors made{.rows = {}, .alphabet = std::string(alphabet)};
  const auto symbols = static_cast<double>(alphabet.size());
  // A gap is where a symbol may have been lost, a symbol's step where one may be wrong or made up.
  const auto add_gap = [&] {
    made.rows.push_back(static_cast<float>(1 - rates.lost));
    made.rows.insert(made.rows.end(), alphabet.size(), static_cast<float>(rates.lost / symbols));
  };
  const auto add_symbol = [&](std::size_t read) {
    const bool known = read != std::string_view::npos;
    const double rest = 1 - rates.made_up;
    made.rows.push_back(static_cast<float>(rates.made_up));
    for (std::size_t each = 0; each < alphabet.size(); ++each) {
      const double share = !known         ? 1 / symbols
                           : each == read ? 1 - rates.wrong
                                          : rates.wrong / (symbols - 1);
      made.rows.push_back(static_cast<float>(rest * share));
    }
  };
  add_gap();
  for (const char each : text) {
    add_symbol(alphabet.find(each));
    add_gap();
  }
  return made;
}

}  // namespace alcove::sheets
