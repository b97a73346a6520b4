#pragma once
// safetensors: a length, a JSON header, and the numbers.

#include <map>

#include "weights/tensor.h"

namespace alcove::weights {

struct Safetensors {
  NamedTensors tensors;
  std::map<std::string, std::string> metadata;  // __metadata__
};

// Exactly the format's rules: a header of at most 100 MB that begins with '{', known number types, sizes that
// fit their offsets, tensors that follow each other without overlap or hole up to the end of the file, no
// name twice. Unreadable naming the tensor ("damaged", "truncated"); Unsupported for a number type we do not
// read. The tensors are views into `bytes`, which are those of `file` (null only when the caller keeps them
// alive).
Result<Safetensors> read_safetensors(Bytes bytes, std::shared_ptr<const MappedFile> file);

}  // namespace alcove::weights
