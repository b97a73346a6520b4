#pragma once
// Runs that many threads ask for, put together into batches.

#include <memory>
#include <vector>

#include "engine/engine.h"

namespace alcove::engine {

// Whoever comes while a batch runs waits, and goes with the next one, as far as it has the same shape: a
// batch grows while the device is busy and nobody waits when it is not. Batches are filled up with zeros to
// 1, 2, 4, … `most`, so that the device sees few shapes. A run of more than `most` goes alone.
// For a model of one f32 input whose free first dimension every output has once, by name; any other session
// is given back as it is.
std::unique_ptr<Session> gathering(std::unique_ptr<Session> session, const std::vector<graph::Port>& inputs,
                                   const std::vector<graph::Port>& outputs, std::size_t most);

}  // namespace alcove::engine
