#pragma once
// Local files into a repository: only what differs, the large ones by LFS, the rest inside the commits.

#include "hub/lfs.h"

namespace alcove::hub {

struct Push {
  std::string revision = "main";
  std::string summary;  // the commit's title
  std::vector<LocalFile> files;
  std::vector<std::string> removed;  // paths to delete, with the first commit
  std::string parent;                // refuse when the revision no longer points here; empty: do not mind
  TransferProgress progress;
  std::stop_token stop;
};

struct Pushed {
  std::string commit;                // the revision's head now
  std::vector<std::string> changed;  // paths that went up
  std::vector<std::string> unchanged;
  std::size_t commits = 0;  // zero when nothing differed
};

// Files are hashed, compared with what the Hub holds, and sent. When the connection breaks, or another run is
// started later, what already went up stays there. Conflict errors have the code parent_moved.
Result<Pushed> push(const Session& session, const Repo& repo, const Push& what);

}  // namespace alcove::hub
