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

void wait_for_stop(const sigset_t& signals);
// Until nothing is busy any more, or the limit is over; a second signal ends the process at once.
void finish_or_stop(const sigset_t& signals, std::chrono::milliseconds limit,
                    const std::function<bool()>& busy);

}  // namespace alcove::api
