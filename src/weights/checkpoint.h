#pragma once
// A weight file opened and recognised: torch archive (zip, or the format before 1.6), safetensors, or ONNX.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "weights/pickle.h"
#include "weights/tensor.h"

namespace alcove::weights {

enum class FileKind { TorchZip, TorchLegacy, Safetensors, Onnx };
std::string_view name_of(FileKind kind);  // "torch archive", "torch file (before 1.6)", "safetensors", "ONNX"

struct Checkpoint {
  FileKind kind = FileKind::TorchZip;
  std::shared_ptr<const MappedFile> file;
  std::string sha256;                 // of the whole file
  std::shared_ptr<const Value> root;  // torch formats: the object saved; null otherwise. Keeps every value
                                      // below it alive
  NamedTensors tensors;               // safetensors: all; torch: those of a state dict at the root, under
                         // "model_state_dict", "state_dict" or "model"; empty for a pickled module
  std::map<std::string, std::string> metadata;  // safetensors' __metadata__
};

// Unreadable with a sentence of its own, which names the fix, for: an empty file, a Git LFS pointer, an HTML
// page, a cut archive, a pickle that wants something executed (named), anything unknown. ONNX files are
// recognised, not parsed: graph/ does that. `code` is one of: empty_file, lfs_pointer, html_page, truncated,
// damaged (sizes that lie, entries that overlap, views that leave their storage, checksums that differ),
// unsafe_pickle, not_weights; NotFound and BadInput come from opening the file and have none. Costs one pass
// over the file for the checksums; the tensors stay in the mapping.
Result<Checkpoint> open_checkpoint(const std::filesystem::path& path);

// The tensors that lie in a Dict under string keys; empty when there are none or it is no Dict.
NamedTensors tensors_in(const Value* dict);

}  // namespace alcove::weights
