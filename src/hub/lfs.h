#pragma once
// Large files of a repository, by the protocol of Git LFS: whole, or in parts side by side.

#include <functional>
#include <stop_token>

#include "hub/folder.h"
#include "hub/session.h"

namespace alcove::hub {

struct LargeFile {
  LocalFile local;
  std::string sha256;
};

using TransferProgress =
    std::function<void(const std::string& path, std::uint64_t done, std::uint64_t total)>;

// Stores what the Hub does not have yet; run again, only what is missing goes up, of a file in
// parts only those that did not arrive. Addresses the Hub hands out
// get no token unless they are the Hub's own.
Result<void> store_large_files(const Session& session, const Repo& repo, const std::vector<LargeFile>& files,
                               const TransferProgress& progress, const std::stop_token& stop);

}  // namespace alcove::hub
