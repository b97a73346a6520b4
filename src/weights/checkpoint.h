#pragma once
// A weight file opened and recognised: torch archive (zip, or the format before 1.6), safetensors, or ONNX.

#include <filesystem>
#include <optional>
#include <string>

#include "weights/pickle.h"
#include "weights/tensor.h"

namespace alcove::weights {

enum class FileKind { TorchZip, TorchLegacy, Safetensors, Onnx };
std::string_view name_of(FileKind kind);  // "torch archive", "torch file (before 1.6)", "safetensors", "ONNX"

struct Checkpoint {
  FileKind kind = FileKind::TorchZip;
  std::shared_ptr<const MappedFile> file;
  std::string sha256;    // of the whole file
  ValuePtr root;         // torch formats: the object saved; null otherwise
  NamedTensors tensors;  // safetensors: all; torch: those of a state dict at the root, under
                         // "model_state_dict", "state_dict" or "model"; empty for a pickled module
  std::map<std::string, std::string> metadata;  // safetensors' __metadata__
};

// Unreadable with a sentence of its own, which names the fix, for: an empty file, a Git LFS pointer, an HTML
// page, a cut archive, a pickle that wants something executed (named), anything unknown. ONNX files are
// recognised, not parsed: graph/ does that. `code` is one of: empty_file, lfs_pointer, html_page, truncated,
// unsafe_pickle, not_weights.
Result<Checkpoint> open_checkpoint(const std::filesystem::path& path);

}  // namespace alcove::weights
