#pragma once
// A token for one repository out of a CI job's own identity, so that no secret has to be stored anywhere.

#include "hub/session.h"

namespace alcove::hub {

// When HF_OIDC_RESOURCE (spaces/owner/name) is set: asks GitHub Actions for the job's identity (or takes
// HF_OIDC_ID_TOKEN), and the Hub for a token in exchange. Settings come back with that token; unchanged when
// the variable is not set. A failure is an error: nobody who set it wants another token to be used instead.
Result<Settings> with_keyless_login(Settings settings, const Environment& environment);

}  // namespace alcove::hub
