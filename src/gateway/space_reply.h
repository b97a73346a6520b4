#pragma once
// What a Space's answer means. Pure: anybody may stand at an address, so nothing is believed before it was
// checked.

#include <optional>

#include "gateway/sheet.h"
#include "net/message.h"

namespace alcove::gateway {

// Unknown: not asked yet. Waking: it is there and will answer (asleep, building, loading). Unreachable: it
// does not answer, or not with readings. Misconfigured: somebody has to change a setting.
enum class SpaceState { Unknown, Awake, Waking, Unreachable, Misconfigured };
std::string_view name_of(SpaceState state);

struct Verdict {
  SpaceState state = SpaceState::Unknown;
  std::string why;     // a sentence; empty when awake
  std::string reason;  // a word for metrics: "html", "http_503", "timeout", …
};

// The answer to GET /health. `has_token`: a token was presented.
Verdict judge_health(const Result<net::Reply>& reply, bool has_token);
// Of an answer that is no reading.
Verdict judge_failure(const Result<net::Reply>& reply, bool has_token);

// The answer to a sheet: the reading, or the sheet's own fault (Outcome::error set); nothing when it is
// neither, and judge_failure() says more. A reading has the contract's keys, texts of letters and digits that
// a file name may hold, and confidences within 0..1.
std::optional<Outcome> outcome_of_reply(const Result<net::Reply>& reply);
// The same from JSON text, for the local reader's and a job's line; `status` as in HTTP.
std::optional<Outcome> outcome_of_json(int status, std::string_view text);

}  // namespace alcove::gateway
