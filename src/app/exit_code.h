#pragma once
// What the shell learns from how a command ended.

#include "base/result.h"

namespace alcove::app {

enum ExitCode : int {
  kDone = 0,
  kNeedsAttention =
      1,  // it ran, and somebody has to look: a sheet that could not be read, a weight file that is not sound
  kUsage = 2,   // the call was wrong: an unknown flag, a file that is not there
  kFailed = 3,  // it could not run: a port taken, a model that does not load, the engine missing
};

ExitCode exit_code(const Error& error);

// Prints `alcove: the sentence` on standard error and gives the exit code.
int report(const Error& error);

}  // namespace alcove::app
