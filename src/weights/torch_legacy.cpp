#include "weights/torch_legacy.h"

#include <fmt/format.h>

#include <map>

#include "weights/refusal.h"
#include "weights/torch_values.h"

namespace alcove::weights {
namespace {

// 0x1950a86a20f9469cfc6c, least byte first.
constexpr std::string_view kMagic{"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10};
constexpr std::int64_t kProtocol = 1001;

// The file, read pickle by pickle.
class Sequence {
 public:
  explicit Sequence(Bytes bytes) : rest_(bytes), size_(bytes.size()) {}

  std::size_t position() const { return size_ - rest_.size(); }
  Bytes rest() const { return rest_; }

  Result<std::shared_ptr<const Value>> next(const PersistentLoad& persistent_load) {
    auto read = TRY(read_pickle(rest_, persistent_load, make_torch_value));
    rest_ = rest_.subspan(read.bytes_read);
    return std::move(read.value);
  }
  Result<std::shared_ptr<const Value>> next() {
    return next([](const Value&) -> Result<Value> { return damaged("a storage where none belongs"); });
  }
  Result<Bytes> take(std::size_t count) {
    if (count > rest_.size())
      return truncated(fmt::format("the file is cut short: it ends after {} bytes, inside a storage", size_));
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

 private:
  Bytes rest_;
  std::size_t size_;
};

bool is_magic(const Value* value) {
  const auto* number = as<Object>(value);
  if (number == nullptr || number->name != "builtins.int" || number->arguments.size() != 1) return false;
  const auto* digits = as<BytesValue>(number->arguments[0]);
  return digits != nullptr && digits->data == kMagic;
}

Result<void> read_head(Sequence& sequence) {
  const auto magic = TRY(sequence.next());
  if (!is_magic(magic.get()))
    return not_weights(
        "a pickle, but not one of torch.save; save the weights again with torch.save(model.state_dict(), …)");
  const auto protocol = TRY(sequence.next());
  const auto* version = as<std::int64_t>(protocol.get());
  if (version == nullptr || *version != kProtocol) return damaged("the torch file has an unknown protocol");
  const auto system = TRY(sequence.next());
  const auto* little = as<bool>(get(system.get(), "little_endian"));
  if (little == nullptr) return damaged("the torch file does not describe its system");
  if (!*little)
    return not_weights("the weights were saved on a big-endian machine; load and save them on a usual one");
  return {};
}

// A storage as the object's pickle announces it, and, once found, where its numbers lie.
struct Storage {
  std::size_t width = 0;
  std::size_t size = 0;  // bytes
  std::int64_t elements = 0;
  std::optional<Bytes> bytes;
};
using Storages = std::map<std::string, Storage, std::less<>>;

// Classes are announced with their source text, tensors with their storage.
Result<Value> load_class(const Value& persistent_id) {
  const auto* tuple = as<Tuple>(&persistent_id);
  const bool is_class = tuple != nullptr && tuple->items.size() >= 2;
  const auto* word = is_class ? as<std::string>(tuple->items[0]) : nullptr;
  const auto* global = is_class ? as<Global>(tuple->items[1]) : nullptr;
  if (word == nullptr || *word != "module" || global == nullptr) return damaged("no class");
  return Value{*global};
}

PersistentLoad announce(Storages& storages) {
  return [&storages](const Value& persistent_id) -> Result<Value> {
    if (auto global = load_class(persistent_id)) return global;
    const auto id = TRY(read_storage_id(persistent_id));
    const auto size = TRY(id.bytes());
    const auto [known, is_new] =
        storages.try_emplace(std::string(id.key), Storage{id.width, size, id.elements, std::nullopt});
    if (!is_new && (known->second.width != id.width || known->second.elements != id.elements))
      return damaged(fmt::format("the storage \"{}\" is described in two ways", id.key));
    return Value{Object{.name = std::string(id.type), .arguments = {}, .items = {}, .elements = {}}};
  };
}

PersistentLoad look_up(const Storages& storages, Bytes file_bytes,
                       const std::shared_ptr<const MappedFile>& file) {
  return [&storages, file_bytes, &file](const Value& persistent_id) -> Result<Value> {
    if (auto global = load_class(persistent_id)) return global;
    const auto id = TRY(read_storage_id(persistent_id));
    const auto found = storages.find(id.key);
    if (found == storages.end() || !found->second.bytes)
      return damaged(fmt::format("the storage \"{}\" is missing from the file", id.key));
    const auto& bytes = *found->second.bytes;
    return make_storage(id, bytes, static_cast<std::uint64_t>(bytes.data() - file_bytes.data()), file);
  };
}

// The keys in the order of their numbers, then the numbers.
Result<void> find_storages(Sequence& sequence, Storages& storages) {
  const auto root = TRY(sequence.next());
  const auto* keys = as<List>(root.get());
  if (keys == nullptr) return damaged("the torch file does not list its storages");
  for (const auto* item : keys->items) {
    const auto* key = as<std::string>(item);
    const auto found = key == nullptr ? storages.end() : storages.find(*key);
    if (found == storages.end()) return damaged("the torch file lists a storage that no tensor uses");
    auto& storage = found->second;
    if (storage.bytes) return damaged(fmt::format("the storage \"{}\" is listed twice", *key));
    const auto stated = TRY(sequence.take(sizeof(std::int64_t)));
    ByteReader count(stated);
    if (TRY(count.little_endian<std::int64_t>()) != storage.elements)
      return damaged(fmt::format("the storage \"{}\" states another size than its tensors do", *key));
    storage.bytes = TRY(sequence.take(storage.size));
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Value>> read_torch_legacy(Bytes bytes, std::shared_ptr<const MappedFile> file) {
  Sequence sequence(bytes);
  TRY(read_head(sequence));
  // The object comes before the numbers that its tensors are made of: once to see which there are, and once
  // more when they are found.
  Storages storages;
  const auto object = sequence.rest();
  TRY(sequence.next(announce(storages)));
  TRY(find_storages(sequence, storages));
  return Sequence(object).next(look_up(storages, bytes, file));
}

}  // namespace alcove::weights
