#pragma once
// The two implementations behind Connection.

#include "store/connection.h"

namespace alcove::store {

Result<std::unique_ptr<Connection::Backend>> open_sqlite(const std::string& path,
                                                         const ConnectionOptions& options);
Result<std::unique_ptr<Connection::Backend>> open_postgres(const std::string& url,
                                                           const ConnectionOptions& options);

// Prepared statements kept; a program has fewer, so whoever has more puts values into texts.
constexpr std::size_t kMostStatements = 256;

}  // namespace alcove::store
