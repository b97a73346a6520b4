#pragma once
// The SQLite half of a folder written by Chroma's PersistentClient (0.5 to 1.5): records and the log of
// writes. Vectors that have left the log lie in files beside it (papers/chroma.h).

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace alcove::store {

struct ChromaRecord {
  std::string id;
  std::string document;
  std::map<std::string, std::string> metadata;  // numbers as text
};

struct ChromaWrite {  // one entry of the log
  enum class Kind { Add = 0, Update = 1, Upsert = 2, Delete = 3 };
  Kind kind = Kind::Add;
  std::string id;
  std::optional<std::vector<float>> vector;
};

struct ChromaCollection {
  std::string name;
  std::string vector_segment;         // the folder of its vectors
  std::string space;                  // "l2", "cosine" or "ip"
  std::vector<ChromaRecord> records;  // in the order they were added
  std::vector<ChromaWrite> writes;    // not yet in the vector files, oldest first
};

// Nothing is written; the folder may belong to another program that runs. `name` may be empty when there is
// one collection. NotFound, naming those there are; Unreadable for anything but a database of Chroma's.
Result<ChromaCollection> read_chroma(const std::filesystem::path& folder, const std::string& name);

}  // namespace alcove::store
