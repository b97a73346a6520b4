#pragma once
// A copy of everything the gateway keeps in its data folder, taken while it runs, and the way back.

#include <filesystem>

#include "base/result.h"

namespace alcove::gateway {

struct BackupSize {
  std::int64_t files = 0;
};

// `folder` is made and must not exist: the database as it is at one moment, and every file it speaks of. For
// SQLite; what lives in PostgreSQL is copied with pg_dump. Half a backup is not left under this name.
Result<BackupSize> back_up(const std::filesystem::path& data, const std::filesystem::path& folder);

// `data` is made and must not exist. Files are compared with their sha256 on the way.
Result<BackupSize> restore(const std::filesystem::path& folder, const std::filesystem::path& data);

}  // namespace alcove::gateway
