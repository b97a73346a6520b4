#pragma once
// Which classes and functions a pickle may name. Nothing named is ever imported or run here, so the rule is
// not what keeps us safe; it tells weights from a pickle made to run something, which its owner should know
// of.
//
//  1. Python's own library is refused, but for the few classes that checkpoints hold: containers, paths,
//  dates,
//     argparse.Namespace and the like. So os.system, builtins.eval and subprocess.Popen are refused.
//  2. Any name that passes through a module or function that runs code is refused, wherever it starts:
//     torch.serialization.os.system, torch.hub.load, numpy.testing….runstring.
//  3. Every other class is accepted as an inert Object: checkpoints carry the training program's own classes
//     (__main__.Config, mylab.settings.Train).
//  4. A function may be called only when it belongs to a package whose checkpoints are known to do so
//     (torch, ultralytics, numpy, …); a class, told by its capital letter, may be called from anywhere. What
//     __main__.setup() would do nobody can know, and no weights need it.

#include <string>
#include <string_view>

#include "base/result.h"

namespace alcove::weights {

// The full name with Python 2's module names brought up to date: ("__builtin__", "set") → "builtins.set".
// Unreadable with code "unsafe_pickle", naming it, under rules 1 and 2.
Result<std::string> accept_name(std::string_view module, std::string_view name);

// Rule 4, for a name that was accepted and is now called.
Result<void> accept_call(std::string_view name);

}  // namespace alcove::weights
