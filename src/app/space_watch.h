#pragma once
// A Space on its way to running, told as it happens.

#include "hub/space_log.h"

namespace alcove::app {

struct Watch {
  std::chrono::seconds patience{1800};
  bool just_pushed = false;  // the old version may still be shown as running for a moment
  bool logs = true;
};

// Prints each stage and the log's lines on standard error until the Space runs or will not. The last runtime
// seen; an error of kind Unsupported when it failed, with the step that did.
Result<hub::Runtime> watch(const hub::Space& space, const Watch& how);

// Why a Space that does not run does not, and what to do.
Error why_not_running(const hub::Space& space, const hub::Runtime& runtime);

}  // namespace alcove::app
