#pragma once
// Files of a repository, into the shared cache.

#include <functional>
#include <stop_token>

#include "hub/listing.h"
#include "hub/patterns.h"

namespace alcove::hub {

struct FetchOptions {
  // File, bytes done, bytes in all; from several threads.
  std::function<void(const std::string& path, std::uint64_t done, std::uint64_t total)> progress;
  std::stop_token stop;
};

// Where the file lies in the cache afterwards. Asks the Hub which content the revision has now, fetches it if
// it is not here, going on where an earlier run ended, and checks size and hash before it takes its place.
// When the Hub cannot be reached, what is cached serves. Unreadable when the content is not what the Hub
// announced.
Result<std::filesystem::path> fetch_file(const Session& session, const Repo& repo,
                                         const std::string& revision, const std::string& path,
                                         const FetchOptions& options = {});

struct Snapshot {
  std::filesystem::path folder;
  std::string commit;
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};

// Every file the patterns want, eight at a time. Offline, the files that are listed for the cached commit
// have to be there: an incomplete snapshot is an error that names what is missing.
Result<Snapshot> fetch_snapshot(const Session& session, const Repo& repo, const std::string& revision,
                                const Patterns& patterns, const FetchOptions& options = {});

}  // namespace alcove::hub
