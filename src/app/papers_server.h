#pragma once
// A search answered by the paper finder that serves this index already: its model is loaded, its words and
// vectors are in memory.

#include <optional>

#include "app/papers_command.h"

namespace alcove::app {

// Nothing when no server with this index answers here, or when it cannot be asked so much: then the index is
// read.
std::optional<Result<papers::SearchResult>> ask_server(const SearchOptions& options);

}  // namespace alcove::app
