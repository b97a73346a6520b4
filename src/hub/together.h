#pragma once
// A few things at once, until one of them fails.

#include <functional>
#include <stop_token>
#include <vector>

#include "base/result.h"

namespace alcove::hub {

using Task = std::function<Result<void>(const std::stop_token&)>;

// Runs the tasks in order, at most `at_once` side by side; the first error ends them all and is the result.
Result<void> run_together(const std::vector<Task>& tasks, std::size_t at_once, const std::stop_token& stop);

}  // namespace alcove::hub
