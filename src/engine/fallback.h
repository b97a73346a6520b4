#pragma once
// A session on a device that may fail under way, with the CPU behind it.

#include <atomic>
#include <functional>
#include <memory>

#include "engine/engine.h"

namespace alcove::engine {

using MakeSession = std::function<Result<std::unique_ptr<Session>>()>;

// A run that the device has no memory for is done by the CPU's session, which `make` gives at the first need;
// so is one whose answer holds a number that is none, which f16 may come to. Once the device is lost (which
// `lost` says to all sessions of it), every run is. Each is logged. Errors of the model's own are handed on.
// `lost` outlives the session.
std::unique_ptr<Session> with_fallback(std::unique_ptr<Session> device, MakeSession make,
                                       std::atomic<bool>& lost);

}  // namespace alcove::engine
