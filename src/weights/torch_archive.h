#pragma once
// What torch.save writes since 1.6: a zip of one pickle and a raw entry for each storage.

#include "weights/pickle.h"
#include "weights/zip_directory.h"

namespace alcove::weights {

// The object saved; its tensors are views into `bytes`, which are those of `file` (null only when the caller
// keeps the bytes alive). Unreadable as open_checkpoint says.
Result<std::shared_ptr<const Value>> read_torch_archive(Bytes bytes, std::shared_ptr<const MappedFile> file);

}  // namespace alcove::weights
