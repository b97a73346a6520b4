#pragma once
// Names on the Hub: repositories, revisions, and paths inside them.

#include <string>

#include "base/result.h"

namespace alcove::hub {

enum class RepoKind { Model, Dataset, Space };

struct Repo {
  RepoKind kind = RepoKind::Model;
  std::string id;  // owner/name; old models have a name alone

  std::string owner() const;  // empty for a name alone
  std::string name() const;
  std::string api_path() const;      // /api/spaces/owner/name
  std::string page_path() const;     // /spaces/owner/name; where git and resolve live
  std::string cache_folder() const;  // spaces--owner--name
};

const char* word_of(RepoKind kind);  // "model", "dataset", "space"

// BadInput, with the rule that was broken: letters, digits and - _ . in each part, at most 96 of them, ending
// and beginning with a letter or digit, neither -- nor .. inside, not ending in .git. A Space needs its
// owner.
Result<Repo> parse_repo(std::string_view text, RepoKind kind);

// A path inside a repository that stays inside wherever it is written to: relative, no `..`, no backslash.
Result<void> check_path(std::string_view path);

bool is_commit(std::string_view text);  // 40 hex digits
bool is_hex(std::string_view text);     // lower case

}  // namespace alcove::hub
