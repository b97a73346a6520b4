#pragma once
// Copies of an index on a folder that loses things: a mount whose locks mean nothing and whose last writes
// may never have happened. A live database would be ruined there, so the index lies on a local disk, and each
// one that serves is copied out whole, under a name that says what has to be in it:
//
//   papers-00000012-SHA256.db      collections-00000007-SHA256.db
//
// A copy is believed when its bytes have that SHA-256; the last one that does is where a new machine begins.

#include <filesystem>
#include <string>

#include "base/result.h"

namespace alcove::store {

class PaperSnapshots {
 public:
  // `kind` is what their names begin with.
  explicit PaperSnapshots(std::filesystem::path folder, std::string kind = "papers")
      : folder_(std::move(folder)), begin_(std::move(kind) + '-') {}

  // Copies `file` out, reads the copy back, and takes away all but the last two sound ones. Does nothing when
  // the last one is the same. Unavailable when the folder cannot be written, or does not keep what was
  // written.
  Result<void> publish(const std::filesystem::path& file) const;

  // The last sound copy to `file`, which appears whole or not at all; gives the copy's name. NotFound when
  // there is none.
  Result<std::string> restore(const std::filesystem::path& file) const;

 private:
  std::filesystem::path folder_;
  std::string begin_;
};

// An index that came along with the program, `papers.db` in `shipped`, begins to serve in `folder`; with
// `snapshots`, a copy goes there too. Once for each: false when it is the one that was taken last, so that
// what grew from it stays. On an error the index serves as it is, taken or not; the next start tries again.
Result<bool> take_shipped(const std::filesystem::path& shipped, const std::filesystem::path& folder,
                          const std::filesystem::path& snapshots);

// True for what a network or a user's program brings: NFS, SMB, Ceph, FUSE.
bool is_mount_to_mistrust(const std::filesystem::path& folder);

}  // namespace alcove::store
