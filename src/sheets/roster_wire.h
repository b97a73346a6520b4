#pragma once
// Posteriors on their way from the Space to the gateway, and what a Space's answer says of a sheet.

#include "base/json.h"
#include "sheets/roster_match.h"

namespace alcove::sheets {

// {"alphabet": "0123456789", "steps": 64, "data": base64}: a byte for each step and class, blank first, which
// is −16 ln p to the nearest whole, at most 255. Rows of a reader's 64 steps come to a kilobyte.
Json posteriors_json(const Posteriors& posteriors);

constexpr std::size_t kMaxSteps = 1024;
constexpr std::size_t kMaxAlphabet = 128;
constexpr std::size_t kMaxEvidenceBoxes = 16;  // of one field

// What another program sent. Unreadable when the parts do not fit together or are over the limits. The
// rows come out as distributions, whatever came in.
Result<Posteriors> posteriors_from(const Json& json);

struct SheetEvidence {
  FieldEvidence register_number, subject_code;
};

// Of the answer to /extract: from `boxes` with their `posteriors` where those came, else from the values of
// `register_number` and `subject_code`, which is all that other servers of the contract send. A field that
// is null has no evidence. Unreadable as above; what is missing altogether is not an error.
Result<SheetEvidence> evidence_of_answer(const Json& answer);

// The value of a field ("register_number") with its symbols' confidences, where the answer has them.
Candidate value_of_answer(const Json& answer, const char* field);

}  // namespace alcove::sheets
