#pragma once
// Leaving in order: one thread waits for SIGTERM or SIGINT, what is in hand is finished, a second signal ends
// all.

#include <chrono>
#include <csignal>
#include <functional>

namespace alcove::api {

// To be called before any thread starts, so that every thread inherits it and one alone receives the signals.
// A client that hangs up does not end the program either.
sigset_t block_stop_signals();

// Or, with `idle_exit` above 0, until nobody has asked for anything for so long and nothing is busy.
void wait_for_stop(const sigset_t& signals, std::chrono::seconds idle_exit = {},
                   const std::function<bool()>& busy = {});
// Until nothing is busy any more, or the limit is over; a second signal ends the process at once.
void finish_or_stop(const sigset_t& signals, std::chrono::milliseconds limit,
                    const std::function<bool()>& busy);

}  // namespace alcove::api
