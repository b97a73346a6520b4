#pragma once
// What the shell learns from how a command ended.

#include "base/result.h"

namespace alcove::app {

enum ExitCode : int {
  kDone = 0,
  // It ran, and somebody has to look: a sheet that could not be read, a weight file that is not sound.
  kNeedsAttention = 1,
  kUsage = 2,   // the call was wrong: an unknown flag, a file that is not there
  kFailed = 3,  // it could not run: no engine, no answer from another server, a fault of ours
};

ExitCode exit_code(const Error& error);

// Prints `alcove: the sentence` on standard error and gives the exit code.
int report(const Error& error);

}  // namespace alcove::app
