#pragma once
// What a repository holds at a revision.

#include <cstdint>
#include <vector>

#include "hub/session.h"

namespace alcove::hub {

struct RepoFile {
  std::string path;
  std::uint64_t size = 0;
  std::string blob_id;  // git SHA-1; of a large file, of its pointer
  std::string sha256;   // of a large file's content; empty for a small one
};

// The commit a revision names now.
Result<std::string> commit_of(const Session& session, const Repo& repo, const std::string& revision,
                              const net::RetryRule& rule = {});

// Every file of a commit; a listing with paths that lead out of the repository is Unavailable as a whole.
Result<std::vector<RepoFile>> list_files(const Session& session, const Repo& repo, const std::string& commit);

// The address after `rel="next"` in a Link header; it must lie on the endpoint.
Result<std::string> next_page(const Session& session, const net::Reply& reply);

}  // namespace alcove::hub
