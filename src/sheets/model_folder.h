#pragma once
// Which weights of a models folder play which part.

#include <filesystem>
#include <optional>
#include <string>

namespace alcove::sheets {

// The files the contract names, by part. Each stem is taken with any suffix we can read, tried in this order:
// .pt .pth .bin .safetensors .onnx. The register reader is called `best_crnn_model(git)` or
// `best_crnn_model`.
struct ModelFolder {
  std::filesystem::path folder;
  std::optional<std::filesystem::path> detector;
  std::optional<std::filesystem::path> second_detector;  // asked for a field that the first one missed
  std::optional<std::filesystem::path> register_reader;
  std::optional<std::filesystem::path> subject_reader;

  bool complete() const { return detector && register_reader && subject_reader; }

  // Where the detector lies in eight bits, if somebody made that of it (quantize.h).
  std::filesystem::path quantized_detector() const { return folder / "improved_weights.int8.onnx"; }

  // "Model weights not found: improved_weights.pt … in models/ …", the contract's words, with the way out.
  // For incomplete folders.
  std::string missing_sentence() const;
};

// A folder that is not there is an empty one.
ModelFolder find_models(const std::filesystem::path& folder);

}  // namespace alcove::sheets
