#pragma once
// What torch.save wrote before 1.6: five pickles in a row (magic number, protocol, system, object, storage
// keys), then each storage's element count and raw numbers.

#include "weights/pickle.h"

namespace alcove::weights {

// Whether `bytes` begin as such a file does; a few bytes of it are enough to tell.
bool begins_as_torch_legacy(Bytes bytes);

// As read_torch_archive.
Result<std::shared_ptr<const Value>> read_torch_legacy(Bytes bytes, std::shared_ptr<const MappedFile> file);

}  // namespace alcove::weights
