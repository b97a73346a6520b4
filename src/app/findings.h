#pragma once
// What a doctor found: said to a person or a program, and to the shell by the exit code.

#include <string>
#include <vector>

#include "base/json.h"

namespace alcove::app {

enum class Severity { Fault, Warning };

struct Finding {
  std::string code;  // stable word for a program
  Severity severity = Severity::Fault;
  std::string what, fix;
};

// Prints them in their order, as lines below `head` or, with `json`, as `findings` of `about`. Gives
// kNeedsAttention when one of them is a fault, kDone otherwise.
int tell(const std::vector<Finding>& findings, const std::string& head, Json about, bool json);

}  // namespace alcove::app
