#pragma once
// Papers to the people of a class list: every exam as a whole, so that a doubtful number is settled by whose
// numbers are taken.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sheets/reader.h"
#include "sheets/roster_scores.h"

namespace alcove::sheets {

// One box of a field, as a reader saw it.
struct BoxEvidence {
  Posteriors posteriors;
  std::string text;   // what was read in it
  double weight = 1;  // how sure it is that this is the field's box, above 0
};

// What is known of one field of one paper.
struct FieldEvidence {
  std::vector<BoxEvidence> boxes;
  bool text_only = false;  // the posteriors are made up from the text
};

FieldEvidence evidence_of(const FieldReading& field);
// Of a reader that gave its text alone, blank or not.
FieldEvidence evidence_of_text(std::string_view text, std::string_view alphabet);

struct EntryScore {
  std::size_t entry = 0;       // in the list
  double log_probability = 0;  // natural
};

constexpr std::size_t kBestShown = 5;

// One field against one list. The sums run over the boxes, each as heavy as its weight.
struct ListScores {
  std::vector<EntryScore> best;  // likeliest first: whatever may matter, and kBestShown at least
  std::string raw;               // what was read, in the likeliest box; empty when blank or without a box
  double raw_log_probability = 0;
  bool has_box = false;
  bool text_only = false;
};
ListScores score_list(const ValueTree& list, const FieldEvidence& evidence);

// In natural logarithms, like all margins; where the numbers come from is in docs/roster.md. Text says less
// than posteriors, so it has to be clearer.
struct MatchThresholds {
  double not_listed;  // so much likelier than the best entry the raw reading has to be, to be nobody's
  double margin;      // below: review
  double clash;       // a paper that loses so much by another's holding its best name: both to review
};
constexpr MatchThresholds kPosteriorThresholds{.not_listed = 12, .margin = 2, .clash = 3};
constexpr MatchThresholds kTextThresholds{.not_listed = 16, .margin = 5, .clash = 3};
const MatchThresholds& thresholds_for(const ListScores& scores);

constexpr double kSureMargin = 99;  // of what has no other way to go; JSON knows no infinity

struct Placement {
  std::optional<std::size_t> entry;  // none: not on the list
  double margin = 0;                 // what the cheapest change costs, at most kSureMargin
  std::optional<std::size_t> rival;  // the paper that holds what this one would take, or best fits
  std::vector<std::string> reasons;  // empty: accepted
};

// One paper's name as a person confirmed it.
struct Confirmed {
  std::size_t paper = 0;
  std::optional<std::size_t> entry;  // none: not on the list
};

// The papers of one subject, exam and attempt against the list of who sits it. Confirmed papers keep what
// they have, and their names are out of reach for the others. Reasons: `not_in_roster`, `already_taken`,
// `low_margin`.
std::vector<Placement> place_papers(std::span<const ListScores> papers, std::size_t entries,
                                    std::span<const Confirmed> confirmed = {});

// One field by itself, as subject codes are matched: reasons `subject_not_listed`, `low_subject_margin`.
Placement place_alone(const ListScores& scores);

}  // namespace alcove::sheets
