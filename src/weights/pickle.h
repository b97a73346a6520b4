#pragma once
// A pickle as data. Nothing is imported or called: a constructor outside the few a tensor needs becomes an
// inert Object that keeps its name, arguments and state, for whoever knows what it means. Which names a
// pickle may speak at all is in globals.h.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "weights/tensor.h"

namespace alcove::weights {

// Pickles share values and may close loops or nest a million deep: walk them with a bound. All values of one
// pickle live as long as its root (Unpickled::value); the pointers between them borrow and are never null,
// but for Object::state.
struct Value;
using ValuePtr = const Value*;

struct None {};
struct List {
  std::vector<ValuePtr> items;
};
struct Tuple {
  std::vector<ValuePtr> items;
};
struct Dict {  // in file order; OrderedDict and defaultdict too; a key set twice stands twice
  std::vector<std::pair<ValuePtr, ValuePtr>> entries;
};
struct Object {      // what a class or function call left behind, inert
  std::string name;  // "ultralytics.nn.modules.conv.Conv"
  std::vector<ValuePtr> arguments;
  ValuePtr state = nullptr;        // BUILD's argument, null when there was none
  Dict items;                      // SETITEMS on a subclass of dict
  std::vector<ValuePtr> elements;  // APPENDS on a subclass of list; a set's elements
};
struct Global {
  std::string name;
};  // a class or function named and not called: "torch.float32"
struct BytesValue {
  std::string data;
};

// An integer beyond 64 bits is an Object "builtins.int" whose argument holds its little-endian bytes.
struct Value {
  std::variant<None, bool, std::int64_t, double, std::string, BytesValue, List, Tuple, Dict, Object, Global,
               Tensor>
      data;
};

// Lookup helpers; all tolerate null and give null when the shape is not as asked.
const Value* get(const Value* dict, std::string_view key);  // a Dict's entry by string key, the last set
const Value* attribute(const Value* object, std::string_view name);  // from an Object's state (or its slots)
template <class T>
const T* as(const Value* value) {
  return value == nullptr ? nullptr : std::get_if<T>(&value->data);
}

// What BINPERSID refers to, turned into a value by the archive the pickle lies in.
using PersistentLoad = std::function<Result<Value>(const Value& id)>;
// Called for REDUCE and NEWOBJ of a global; nothing leaves an inert Object.
using Construct =
    std::function<Result<std::optional<Value>>(std::string_view name, std::span<const ValuePtr> arguments)>;

struct PickleLimits {
  std::size_t values = 4'000'000;  // values made or pushed, arguments copied
  std::size_t depth = 1000;        // MARKs open at once
  std::size_t text = 256u << 20;   // bytes of strings and names in all
};

struct Unpickled {
  std::shared_ptr<const Value> value;  // keeps every value reached from it alive
  std::size_t bytes_read = 0;          // up to and with STOP; the old format has several pickles in a row
};

// Protocols 0 to 5 as far as checkpoints use them. Unreadable, naming opcode and byte, for anything else:
// `code` is "truncated" when the bytes end before STOP, "unsafe_pickle" when a name is refused (and named),
// "damaged" otherwise. TooLarge when a limit is passed. The result may be read by many threads.
Result<Unpickled> read_pickle(Bytes bytes, const PersistentLoad& persistent_load, const Construct& construct,
                              const PickleLimits& limits = {});

}  // namespace alcove::weights
