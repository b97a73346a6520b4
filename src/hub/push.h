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

struct PushedFile {
  LocalFile local;
  std::string hash;    // as the Hub names this kind of content
  bool large = false;  // goes by LFS
};

struct PushPlan {
  std::vector<PushedFile> changed;
  std::vector<std::string> unchanged;  // the Hub has them already
};

struct Pushed {
  std::string commit;       // the revision's head now
  std::size_t commits = 0;  // zero when nothing differed
};

// Hashes the files and compares them with what the Hub holds; changes nothing.
Result<PushPlan> compare(const Session& session, const Repo& repo, const Push& what);

// Sends what differs. When the connection breaks, or another run is started later, what already went up stays
// there. A revision that is no longer where `parent` says fails with the code parent_moved.
Result<Pushed> send(const Session& session, const Repo& repo, const Push& what, const PushPlan& plan);

}  // namespace alcove::hub
