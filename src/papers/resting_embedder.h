#pragma once
// An embedder that puts its model away while nobody embeds, and fetches it for whoever comes next.

#include <chrono>
#include <functional>
#include <memory>

#include "papers/embedder.h"

namespace alcove::papers {

using LoadAgain = std::function<Result<std::shared_ptr<Embedder>>()>;

// `embedder` is what `load` gave first; after `idle` without a text it is let go. Errors of `load` come out
// of embed() and prepare(), and the next call tries again.
std::shared_ptr<Embedder> rest_when_idle(std::shared_ptr<Embedder> embedder, LoadAgain load,
                                         std::chrono::milliseconds idle);

}  // namespace alcove::papers
