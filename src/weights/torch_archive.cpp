#include "weights/torch_archive.h"

#include <fmt/format.h>

#include "weights/refusal.h"
#include "weights/torch_values.h"

namespace alcove::weights {
namespace {

// Everything lies under one folder, named after the file: "best/data.pkl" gives "best/".
Result<std::string> find_prefix(const ZipDirectory& directory) {
  constexpr std::string_view kPickle = "data.pkl";
  std::optional<std::string> prefix;
  for (const auto& [name, entry] : directory.entries()) {
    if (name != kPickle && !name.ends_with("/data.pkl")) continue;
    if (prefix) return not_weights("the zip archive holds several data.pkl; a checkpoint holds one");
    prefix = std::string(name.substr(0, name.size() - kPickle.size()));
  }
  if (!prefix)
    return not_weights(
        "a zip archive without data.pkl, so not one of torch.save; save the weights again with torch.save, "
        "or "
        "unpack the archive if it holds a weight file");
  return *prefix;
}

Result<void> check_kind(const ZipDirectory& directory, const std::string& prefix) {
  if (directory.entries().contains(prefix + "constants.pkl"))
    return not_weights(
        "a TorchScript archive, whose program is not read; save the module's state_dict() with torch.save, "
        "or "
        "export it to ONNX");
  if (!directory.entries().contains(prefix + "byteorder")) return {};
  const auto order = as_text(TRY(directory.read(prefix + "byteorder")));
  if (order != "little")
    return not_weights("the weights were saved on a big-endian machine; load and save them on a usual one");
  return {};
}

// Each storage is looked up and checked once, however many tensors share it.
class Storages {
 public:
  Storages(const ZipDirectory& directory, const std::string& prefix, Bytes archive,
           std::shared_ptr<const MappedFile> file)
      : directory_(directory), prefix_(prefix), archive_(archive), file_(std::move(file)) {}

  Result<Value> load(const Value& persistent_id) {
    const auto id = TRY(read_storage_id(persistent_id));
    const auto known = loaded_.find(id.key);
    if (known == loaded_.end()) return load_first(id);
    if (known->second.type != id.type || known->second.elements != id.elements)
      return damaged(fmt::format("the storage \"{}\" is described in two ways", id.key));
    return known->second.value;
  }

 private:
  struct Loaded {
    std::string type;
    std::int64_t elements = 0;
    Value value;
  };

  Result<Value> load_first(const StorageId& id) {
    const auto content = directory_.read(fmt::format("{}data/{}", prefix_, id.key));
    if (!content && content.error().kind == ErrorKind::NotFound)
      return damaged(fmt::format("the storage \"{}\" is missing from the archive", id.key));
    if (!content) return std::unexpected(content.error());
    if (TRY(id.bytes()) != content->size())
      return damaged(
          fmt::format("the storage \"{}\" holds {} bytes where {} elements of {} bytes are claimed", id.key,
                      content->size(), id.elements, id.width));
    const auto offset = static_cast<std::uint64_t>(content->data() - archive_.data());
    auto value = TRY(make_storage(id, *content, offset, file_));
    loaded_.emplace(std::string(id.key), Loaded{std::string(id.type), id.elements, value});
    return value;
  }

  const ZipDirectory& directory_;
  const std::string& prefix_;
  const Bytes archive_;
  const std::shared_ptr<const MappedFile> file_;
  std::map<std::string, Loaded, std::less<>> loaded_;
};

}  // namespace

Result<std::shared_ptr<const Value>> read_torch_archive(Bytes bytes, std::shared_ptr<const MappedFile> file) {
  const auto directory = TRY(ZipDirectory::open(bytes));
  const auto prefix = TRY(find_prefix(directory));
  TRY(check_kind(directory, prefix));
  Storages storages(directory, prefix, bytes, std::move(file));
  const auto pickle = TRY(directory.read(prefix + "data.pkl"));
  auto read = read_pickle(pickle, [&](const Value& id) { return storages.load(id); }, make_torch_value);
  if (read) return std::move(read->value);
  // The archive has its end, so a pickle without one was not cut but written so.
  if (read.error().code == "truncated") return damaged("data.pkl in the archive: " + read.error().message);
  return std::unexpected(std::move(read).error());
}

}  // namespace alcove::weights
