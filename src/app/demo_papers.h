#pragma once
// The paper finder's part of `alcove demo`.

#include <filesystem>

#include "base/result.h"

namespace alcove::app {

// Indexes the sample papers in `data` and prints three searches. Without the model they go by words alone,
// which is said.
Result<void> show_papers(const std::filesystem::path& samples, const std::filesystem::path& model,
                         const std::filesystem::path& data);

}  // namespace alcove::app
