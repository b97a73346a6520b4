#pragma once
// Bytes that no sheet needs any more: of what was purged, of stacks whose sheets were cut out of them, and of
// uploads that ended between the disk and the queue.

#include "gateway/file_store.h"
#include "store/connection.h"

namespace alcove::gateway {

// The sha256 of every file that is needed: by a sheet that is no stack taken apart, and was not purged.
inline constexpr std::string_view kNeededFiles =
    "SELECT sha256 FROM sheets WHERE is_stack <> 2 AND NOT EXISTS (SELECT 1 FROM records WHERE records.uuid "
    "= sheets.uuid AND workflow_status = 'purged')";

// Inside a transaction, so that nobody enters a sheet of these bytes meanwhile. Whoever enters one afterwards
// keeps them anew (ledger.cpp). True: they are gone, from the database and from `files`.
Result<bool> drop_if_unneeded(store::Connection& connection, const FileStore& files,
                              const std::string& sha256);

// The same for all there are, but for files of the last hour, which may be on their way into the queue.
Result<void> drop_unneeded(store::Connection& connection, const FileStore& files);

}  // namespace alcove::gateway
