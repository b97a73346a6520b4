#pragma once
// What both torch formats share: storages named by persistent ids, and the calls that make tensors of them.

#include "weights/pickle.h"

namespace alcove::weights {

// ("storage", torch.FloatStorage, key, location, element count[, (view key, first, element count)])
struct StorageId {
  std::string_view type;        // "torch.FloatStorage"; borrows from the id, like `key`
  std::optional<DType> number;  // nothing for numbers we do not read: complex, quantised, eight-bit floats
  std::size_t width = 0;        // bytes per element
  std::string_view key;
  std::int64_t elements = 0;

  struct View {
    std::int64_t first = 0;
    std::int64_t elements = 0;
  };
  std::optional<View> view;  // only the old format has views of storages

  Result<std::size_t> bytes() const;  // Unreadable when elements × width passes 64 bits
};

// Unreadable ("damaged", or naming a storage type nobody knows) when `id` is not of that form.
Result<StorageId> read_storage_id(const Value& id);

// A storage as a value: its numbers as one row, or an inert Object when its number type is not read.
// `offset` is where `bytes` lie in `file`.
Result<Value> make_storage(const StorageId& id, Bytes bytes, std::uint64_t offset,
                           std::shared_ptr<const MappedFile> file);

// Construct for torch's pickles: tensors and parameters become Tensor, torch.Size a Tuple; anything else, and
// tensors of numbers we do not read, stays inert.
Result<std::optional<Value>> make_torch_value(std::string_view name, std::span<const ValuePtr> arguments);

}  // namespace alcove::weights
