#pragma once
// A pickle as data. Nothing is imported or called: a constructor outside the few a tensor needs becomes an
// inert Object that keeps its name, arguments and state, for whoever knows what it means.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "weights/tensor.h"

namespace alcove::weights {

struct Value;
using ValuePtr = std::shared_ptr<Value>;  // pickles share (and may close loops), so values are shared too

struct None {};
struct List {
  std::vector<ValuePtr> items;
};
struct Tuple {
  std::vector<ValuePtr> items;
};
struct Dict {
  std::vector<std::pair<ValuePtr, ValuePtr>> entries;
};                   // in file order; OrderedDict too
struct Object {      // what a class or function call left behind, inert
  std::string name;  // "ultralytics.nn.modules.conv.Conv"
  std::vector<ValuePtr> arguments;
  ValuePtr state;                  // BUILD's argument, null when there was none
  Dict items;                      // SETITEMS on a subclass of dict
  std::vector<ValuePtr> elements;  // APPENDS on a subclass of list
};
struct Global {
  std::string name;
};  // a class or function named and not called: "torch.float32"
struct BytesValue {
  std::string data;
};

struct Value {
  std::variant<None, bool, std::int64_t, double, std::string, BytesValue, List, Tuple, Dict, Object, Global,
               Tensor>
      data;
};

// Lookup helpers; all tolerate null and give null when the shape is not as asked.
const Value* get(const Value* dict_or_state, std::string_view key);  // entry of a Dict by string key
const Value* attribute(const Value* object, std::string_view name);  // attribute from an Object's state dict
template <class T>
const T* as(const Value* value) {
  return value == nullptr ? nullptr : std::get_if<T>(&value->data);
}

// What BINPERSID refers to, turned into a value by the archive the pickle lies in.
using PersistentLoad = std::function<Result<ValuePtr>(const ValuePtr& id)>;
// Called for REDUCE/NEWOBJ of a global; returns null to leave an inert Object.
using Construct =
    std::function<Result<ValuePtr>(std::string_view name, const std::vector<ValuePtr>& arguments)>;

struct PickleLimits {
  std::size_t values = 4'000'000;  // opcodes that make a value
  std::size_t depth = 1000;        // MARKs open at once
  std::size_t text = 256u << 20;   // bytes of strings in all
};

struct Unpickled {
  ValuePtr value;
  std::size_t bytes_read = 0;  // up to and with STOP; the old format has several pickles in a row
};

// Protocols 0 to 5 as far as checkpoints use them. Unreadable, naming opcode and byte, for anything else.
Result<Unpickled> read_pickle(Bytes bytes, const PersistentLoad& persistent_load, const Construct& construct,
                              PickleLimits limits = {});

}  // namespace alcove::weights
