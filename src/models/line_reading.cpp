// A reader's numbers to text.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <numeric>

#include "models/crnn.h"

namespace alcove::models {
namespace {

float mean(const std::vector<float>& values) {
  if (values.empty()) return 0;
  const auto sum = std::accumulate(values.begin(), values.end(), 0.0);
  return static_cast<float>(sum / static_cast<double>(values.size()));
}

constexpr std::size_t kMostRivals = 2;
constexpr float kLeastRival = 0.01F;

// The other symbols of a step, likeliest first.
std::vector<Rival> rivals_of(std::span<const float> row, std::size_t best, std::string_view alphabet) {
  std::vector<Rival> rivals;
  for (std::size_t index = 1; index < row.size(); ++index)
    if (index != best && row[index] >= kLeastRival) rivals.push_back({alphabet[index - 1], row[index]});
  std::ranges::stable_sort(rivals, std::ranges::greater{}, &Rival::confidence);
  if (rivals.size() > kMostRivals) rivals.resize(kMostRivals);
  return rivals;
}

}  // namespace

std::vector<float> posteriors_of(std::span<const float> logits, int classes) {
  assert(classes > 0 && logits.size() % static_cast<std::size_t>(classes) == 0);
  const auto width = static_cast<std::size_t>(classes);
  std::vector<float> posteriors(logits.begin(), logits.end());
  for (std::size_t start = 0; start < posteriors.size(); start += width) {
    const std::span step(posteriors.data() + start, width);
    const auto most = std::ranges::max(step);  // taken off, so that no exponential overflows
    for (auto& value : step) value = std::exp(value - most);
    const auto sum = std::accumulate(step.begin(), step.end(), 0.0F);
    // The largest alone gives 1. Less, or no number, comes of NaN and infinities: then nothing is known of
    // the whole line, because a text read around such a step would look sure.
    if (!(sum >= 1)) return std::vector<float>(logits.size(), 1.0F / static_cast<float>(classes));
    for (auto& value : step) value /= sum;
  }
  return posteriors;
}

LineReading read_greedy(std::span<const float> posteriors, int classes, std::string_view alphabet) {
  assert(classes > 0 && posteriors.size() % static_cast<std::size_t>(classes) == 0);
  assert(alphabet.size() + 1 >= static_cast<std::size_t>(classes));
  const auto width = static_cast<std::size_t>(classes);
  LineReading reading;
  std::vector<float> symbols, runs;
  std::size_t before = width;  // no class, so that a run of blanks at the start counts as one
  for (std::size_t step = 0; step < posteriors.size() / width; ++step) {
    const auto row = posteriors.subspan(step * width, width);
    const auto best = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
    if (best != std::exchange(before, best)) {
      runs.push_back(row[best]);
      if (best == 0) continue;
      symbols.push_back(row[best]);
      reading.symbols.push_back(
          {alphabet[best - 1], static_cast<int>(step), row[best], rivals_of(row, best, alphabet)});
      reading.text += alphabet[best - 1];
    }
  }
  reading.confidence = mean(symbols);
  reading.with_blanks = mean(runs);
  return reading;
}

}  // namespace alcove::models
