#pragma once
// A reading as the contract's JSON: what the Space answers, and what `alcove read` prints.

#include <span>

#include "base/json.h"
#include "sheets/reader.h"

namespace alcove::api {

enum class Detail {
  Contract,
  WithPosteriors,  // each box has `posteriors` too (sheets/roster_wire.h), for matching against a class list
};

// success, register_number, subject_code (null when not read), register_candidates, subject_candidates,
// confidence (null when a field is missing), page, orientation, skew, pages, boxes, timings_ms, reasons,
// advice (a sentence for each reason), models; docs/http.md has the shape. A page that was looked at is a
// success even when nothing was found on it: `reasons` says what is missing. Candidates are listed best text
// first, since clients of the original take the first one's confidence for the value's.
Json to_json(const sheets::SheetReading& reading, std::span<const sheets::ModelInfo> models,
             Detail detail = Detail::Contract);

}  // namespace alcove::api
