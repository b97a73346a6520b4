#pragma once
// One weight file on disk to whichever model it holds.

#include <filesystem>
#include <variant>

#include "models/crnn.h"
#include "models/yolo.h"

namespace alcove::models {

struct ModelFile {
  std::filesystem::path path;
  weights::FileKind kind = weights::FileKind::TorchZip;
  std::uint64_t bytes = 0;
  std::string sha256;
  std::size_t tensors = 0;
  std::string precision;  // what most of the weights are stored as: "F16", "F32"
  std::variant<Detector, Reader> model;
};

// Opens, recognises and builds. Errors are prefixed with the file's name and end in what to do about it.
Result<ModelFile> load_model(const std::filesystem::path& path);

}  // namespace alcove::models
