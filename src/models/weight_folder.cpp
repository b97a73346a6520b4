#include "models/weight_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/mapped_file.h"
#include "base/sha256.h"
#include "weights/checkpoint.h"

namespace alcove::models {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxJson = 16 << 20;
constexpr std::size_t kMaxFiles = 1000;

Result<weights::Checkpoint> open(const fs::path& path) {
  auto opened = weights::open_checkpoint(path);
  if (opened) return opened;
  // A file that is not there is named in the sentence already.
  if (opened.error().kind == ErrorKind::NotFound || opened.error().kind == ErrorKind::BadInput) return opened;
  return fail_in(path.string(), std::move(opened).error());
}

// The files an index names, each beside it.
Result<std::set<std::string>> files_of(const fs::path& index) {
  const auto json = TRY(read_json_file(index));
  std::set<std::string> names;
  for (const auto& name : member(json, "weight_map")) {
    if (!name.is_string() || name.get<std::string>().find('/') != std::string::npos || name == "..")
      return fail(ErrorKind::Unreadable, fmt::format("{}: names no plain file beside it", index.string()));
    names.insert(name.get<std::string>());
  }
  if (names.empty() || names.size() > kMaxFiles)
    return fail(ErrorKind::Unreadable, fmt::format("{}: names {} files", index.string(), names.size()));
  return names;
}

}  // namespace

Result<Json> read_json_file(const fs::path& path) {
  const auto file = TRY(MappedFile::open(path));
  if (file.bytes().size() > kMaxJson)
    return fail(ErrorKind::TooLarge, fmt::format("{} has {} bytes; at most {} are read", path.string(),
                                                 file.bytes().size(), kMaxJson));
  auto parsed = parse_json(as_text(file.bytes()));
  if (!parsed) return fail_in(path.string(), std::move(parsed).error());
  return parsed;
}

Result<FolderWeights> read_weights(const fs::path& folder, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (fs::exists(folder / name)) {
      auto checkpoint = TRY(open(folder / name));
      return FolderWeights{std::move(checkpoint.tensors), std::move(checkpoint.sha256)};
    }
    const auto index = folder / (name + ".index.json");
    if (!fs::exists(index)) continue;
    FolderWeights found;
    Sha256 digest;
    for (const auto& part : TRY(files_of(index))) {
      auto checkpoint = TRY(open(folder / part));
      found.tensors.merge(checkpoint.tensors);
      digest.add(as_bytes(part + " " + checkpoint.sha256 + "\n"));
    }
    found.sha256 = digest.hex();
    return found;
  }
  return fail(ErrorKind::NotFound, fmt::format("{} has no weights; one of {} belongs there", folder.string(),
                                               fmt::join(names, ", ")));
}

}  // namespace alcove::models
