// Any bytes as a pickle, then a bounded walk over what came out of it.

#include "weights/pickle.h"

namespace {

using namespace alcove;
using namespace alcove::weights;

// Values may share and close loops, so the walk stops after a number of steps.
void walk(const Value* root) {
  std::vector<const Value*> open{root};
  for (int steps = 0; steps < 10'000 && !open.empty(); ++steps) {
    const auto* value = open.back();
    open.pop_back();
    if (const auto* list = as<List>(value)) open.insert(open.end(), list->items.begin(), list->items.end());
    if (const auto* tuple = as<Tuple>(value))
      open.insert(open.end(), tuple->items.begin(), tuple->items.end());
    if (const auto* dict = as<Dict>(value))
      for (const auto& [key, item] : dict->entries) open.insert(open.end(), {key, item});
    if (const auto* object = as<Object>(value)) {
      open.insert(open.end(), object->arguments.begin(), object->arguments.end());
      if (object->state != nullptr) open.push_back(object->state);
      (void)attribute(value, "weight");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const PersistentLoad no_storage = [](const Value& id) -> Result<Value> { return Value{id}; };
  const Construct inert = [](std::string_view, std::span<const ValuePtr>) -> Result<std::optional<Value>> {
    return std::nullopt;
  };
  // Small enough that memory shows a leak of proportion rather than the size of the input.
  const auto read =
      read_pickle({data, size}, no_storage, inert, {.values = 100'000, .depth = 100, .text = 1 << 20});
  if (read) walk(read->value.get());
  return 0;
}
