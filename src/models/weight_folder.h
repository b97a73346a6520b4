#pragma once
// The weights of a folder as transformers keeps them, in one file or in several.

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "weights/tensor.h"

namespace alcove::models {

struct FolderWeights {
  weights::NamedTensors tensors;
  std::string sha256;  // of one file its own; of several, of their list
};

// The first of `names` that is there, whole or through NAME.index.json ("model.safetensors.index.json").
// NotFound naming them all.
Result<FolderWeights> read_weights(const std::filesystem::path& folder,
                                   const std::vector<std::string>& names);

// A small JSON file; errors begin with its path. NotFound says what belongs there.
Result<Json> read_json_file(const std::filesystem::path& path);

}  // namespace alcove::models
