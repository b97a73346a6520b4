#include "sheets/roster_match.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/crnn.h"
#include "sheets/roster_assignment.h"

namespace alcove::sheets {
namespace {

// Entries so far behind the raw reading cost more than taking no name; what is below cannot matter.
constexpr double kReach = 25;
constexpr std::size_t kMostKept = 200;  // in a box that says nothing, everybody fits alike

double log_sum(double a, double b) {
  const double most = std::max(a, b);
  return most + std::log1p(std::exp(std::min(a, b) - most));
}

// What a paper gives up when it gets `entry` and not what fits it best.
double loss(const ListScores& paper, std::optional<std::size_t> entry) {
  if (paper.best.empty()) return 0;
  const double best = paper.best.front().log_probability;
  if (entry) return best - std::ranges::find(paper.best, *entry, &EntryScore::entry)->log_probability;
  return best - (paper.raw_log_probability - thresholds_for(paper).not_listed);
}

}  // namespace

FieldEvidence evidence_of(const FieldReading& field) {
  FieldEvidence evidence;
  for (const auto& candidate : field.candidates) {
    const auto alphabet = models::usual_alphabet(candidate.classes);
    if (!alphabet || candidate.posteriors.empty()) continue;
    evidence.boxes.push_back({.posteriors = {candidate.posteriors, *alphabet},
                              .text = candidate.value,
                              .weight = std::max(candidate.detection_confidence, 1e-3F)});
  }
  return evidence;
}

FieldEvidence evidence_of_text(std::string_view text, std::string_view alphabet) {
  FieldEvidence evidence{.boxes = {}, .text_only = true};
  evidence.boxes.push_back({.posteriors = posteriors_of_text(text, alphabet), .text = std::string(text)});
  return evidence;
}

ListScores score_list(const ValueTree& list, const FieldEvidence& evidence) {
  ListScores scores{
      .best = {}, .raw = {}, .has_box = !evidence.boxes.empty(), .text_only = evidence.text_only};
  if (!scores.has_box) return scores;
  double weights = 0;
  for (const auto& box : evidence.boxes) weights += box.weight;

  std::vector<double> sums;
  scores.raw_log_probability = -HUGE_VAL;
  for (const auto& box : evidence.boxes) {
    const double share = std::log(box.weight / weights);
    auto found = list.log_probabilities(box.posteriors);
    for (auto& each : found) each += share;
    if (sums.empty()) {
      sums = std::move(found);
    } else {
      std::ranges::transform(sums, found, sums.begin(), log_sum);
    }
    const double raw = share + log_probability(box.posteriors, box.text);
    // A box with writing in it says more than an empty one beside it.
    if (std::pair(!box.text.empty(), raw) > std::pair(!scores.raw.empty(), scores.raw_log_probability)) {
      scores.raw = box.text;
      scores.raw_log_probability = raw;
    }
  }
  for (std::size_t entry = 0; entry < sums.size(); ++entry) scores.best.push_back({entry, sums[entry]});
  const auto likeliest_first = [](const EntryScore& a, const EntryScore& b) {
    return a.log_probability != b.log_probability ? a.log_probability > b.log_probability : a.entry < b.entry;
  };
  const auto kept = std::min(scores.best.size(), kMostKept);
  std::ranges::partial_sort(scores.best, scores.best.begin() + static_cast<std::ptrdiff_t>(kept),
                            likeliest_first);
  scores.best.resize(kept);
  const auto out_of_reach = std::ranges::find_if(scores.best, [&](const EntryScore& each) {
    return each.log_probability < scores.raw_log_probability - kReach;
  });
  const auto within = static_cast<std::size_t>(out_of_reach - scores.best.begin());
  scores.best.resize(std::min(kept, std::max(within, kBestShown)));
  return scores;
}

const MatchThresholds& thresholds_for(const ListScores& scores) {
  return scores.text_only ? kTextThresholds : kPosteriorThresholds;
}

std::vector<Placement> place_papers(std::span<const ListScores> papers, std::size_t entries,
                                    std::span<const Confirmed> confirmed) {
  std::vector<std::optional<std::size_t>> holders(entries);
  std::vector<bool> is_confirmed(papers.size(), false), is_gone(entries, false);
  std::vector<Placement> placements(papers.size());
  for (const auto& each : confirmed) {
    is_confirmed[each.paper] = true;
    placements[each.paper] = {.entry = each.entry, .margin = kSureMargin, .rival = {}, .reasons = {}};
    if (!each.entry) continue;
    is_gone[*each.entry] = true;
    holders[*each.entry] = each.paper;
  }

  std::vector<PaperChoices> choices(papers.size());
  for (std::size_t paper = 0; paper < papers.size(); ++paper) {
    if (is_confirmed[paper]) continue;
    choices[paper].no_name = thresholds_for(papers[paper]).not_listed - papers[paper].raw_log_probability;
    for (const auto& each : papers[paper].best)
      if (!is_gone[each.entry]) choices[paper].names.push_back({each.entry, -each.log_probability});
  }
  const AssignmentSolver solver(choices, entries);
  const auto changes = solver.cheapest_changes();
  for (std::size_t paper = 0; paper < papers.size(); ++paper) {
    if (is_confirmed[paper]) continue;
    auto& placement = placements[paper];
    placement.entry = solver.assignment().names[paper];
    if (placement.entry) holders[*placement.entry] = paper;
    placement.margin = changes[paper] ? std::min(changes[paper]->cost, kSureMargin) : kSureMargin;
    if (changes[paper]) placement.rival = changes[paper]->holder;
  }

  const auto add = [&](std::size_t paper, std::string_view reason) {
    auto& reasons = placements[paper].reasons;
    if (!is_confirmed[paper] && std::ranges::find(reasons, reason) == reasons.end())
      reasons.emplace_back(reason);
  };
  for (std::size_t paper = 0; paper < papers.size(); ++paper) {
    if (is_confirmed[paper]) continue;
    const auto& scores = papers[paper];
    auto& placement = placements[paper];
    if (!placement.entry) add(paper, "not_in_roster");
    if (placement.entry && placement.margin < thresholds_for(scores).margin) add(paper, "low_margin");
    if (scores.best.empty() || placement.entry == scores.best.front().entry) continue;
    const auto holder = holders[scores.best.front().entry];
    if (!holder || loss(scores, placement.entry) < thresholds_for(scores).clash) continue;
    placement.rival = holder;
    placements[*holder].rival = paper;
    add(paper, "already_taken");
    add(*holder, "already_taken");
  }
  return placements;
}

Placement place_alone(const ListScores& scores) {
  const auto& thresholds = thresholds_for(scores);
  const double nobody = scores.raw_log_probability - thresholds.not_listed;
  if (scores.best.empty() || !scores.has_box || scores.best.front().log_probability < nobody)
    return {.entry = {}, .margin = 0, .rival = {}, .reasons = {"subject_not_listed"}};
  const double next = scores.best.size() > 1 ? std::max(nobody, scores.best[1].log_probability) : nobody;
  Placement placement{.entry = scores.best.front().entry,
                      .margin = std::min(scores.best.front().log_probability - next, kSureMargin),
                      .rival = {},
                      .reasons = {}};
  if (placement.margin < thresholds.margin) placement.reasons.emplace_back("low_subject_margin");
  return placement;
}

}  // namespace alcove::sheets
