#pragma once
// What torch.save wrote before 1.6: five pickles in a row (magic number, protocol, system, object, storage
// keys), then each storage's element count and raw numbers.

#include "weights/pickle.h"

namespace alcove::weights {

// As read_torch_archive. Another pickle than torch.save's is "not_weights".
Result<std::shared_ptr<const Value>> read_torch_legacy(Bytes bytes, std::shared_ptr<const MappedFile> file);

}  // namespace alcove::weights
