#pragma once
// The folder an index lives in: `papers.db` serves and is never written to, `papers.next.db` is what an
// import works on. When it is done the one takes the other's place at once, by rename: whoever has the old
// one open keeps it.

#include "store/paper_index.h"

namespace alcove::store {

class PaperFolder {
 public:
  explicit PaperFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path current() const { return folder_ / "papers.db"; }
  std::filesystem::path next() const { return folder_ / "papers.next.db"; }

  bool exists() const;  // something serves, or was begun
  // True when an import was interrupted, or is at work.
  bool has_next() const;

  // What to write on: what an interrupted import left, if it began from the index that serves now; otherwise
  // a copy of that, or an empty one. The folder is made. One process at a time: Unavailable, naming the other
  // one.
  Result<PaperIndex> begin() const;

  // From here on it serves. On an error the old one still does, and begin() gives back what was written.
  Result<void> finish(PaperIndex index) const;

  // Nothing changed: what was begun is taken away again.
  void discard(PaperIndex index) const;

 private:
  Result<void> copy_current() const;
  Result<PaperIndex> open_next() const;

  std::filesystem::path folder_;
};

// Where the index of a storage folder lies: in the folder itself where one was begun there, else in its
// `chroma_db_index`, the name that the original's set-up guide gave it, where that exists.
std::filesystem::path index_folder(const std::filesystem::path& storage);

// Changes when another index has taken the place of the one that was there; empty without one.
std::string file_stamp(const std::filesystem::path& file);

}  // namespace alcove::store
