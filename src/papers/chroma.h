#pragma once
// The papers of a folder that the original finder, or any program, wrote with Chroma's PersistentClient.

#include <filesystem>
#include <string>
#include <vector>

#include "papers/importer.h"

namespace alcove::papers {

struct ChromaPapers {
  std::string collection;
  std::vector<Paper> papers;
  std::vector<GivenVector> vectors;   // of those papers that have one; their length may not be the original's
  std::vector<std::string> left_out;  // ids of records without a title
};

// True for a folder with Chroma's database in it.
bool is_chroma_folder(const std::filesystem::path& folder);

// `collection` may be empty when there is one. The folder is only read. A record's document is its abstract,
// or title and abstract where it begins with the title, as the original finder stored it. NotFound,
// Unreadable as store::read_chroma; Unreadable, naming the file, for vector files that do not hold together.
Result<ChromaPapers> read_chroma_papers(const std::filesystem::path& folder, const std::string& collection);

}  // namespace alcove::papers
