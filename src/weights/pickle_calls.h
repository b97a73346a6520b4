#pragma once
// The few calls that Python itself, rather than torch, puts between a value and its bytes.

#include "weights/pickle_stack.h"

namespace alcove::weights {

// OrderedDict, defaultdict and dict become a Dict; _codecs.encode (Python 3's bytes in protocol 2) bytes;
// getattr of a class a Global by its full name, of a fused layer an inert Object; copyreg's helpers an inert
// Object of the class they would make. Nothing for any other name. What is copied is charged to `stack`,
// which is not changed otherwise.
Result<std::optional<Value>> call_python(std::string_view name, std::span<const ValuePtr> arguments,
                                         PickleStack& stack);

}  // namespace alcove::weights
