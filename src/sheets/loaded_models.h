#pragma once
// The networks of a reader: found in their folder, read, compiled or imported, and run once.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "sheets/model_folder.h"
#include "sheets/reader.h"

namespace alcove::sheets {

constexpr int kReaderHeight = 32;  // of a line reader's input, pixels

struct LoadedDetector {
  std::unique_ptr<engine::Session> session;
  int classes = 0;
  int image_size = 640;
  int stride = 32;
  int register_label = 0;
  int subject_label = 0;
};

struct LoadedReader {
  std::unique_ptr<engine::Session> session;
  std::string alphabet;
  int classes = 0;
  int width = 0;
};

struct LoadedModels {
  LoadedDetector detector;
  std::optional<LoadedDetector> second_detector;
  LoadedReader register_reader, subject_reader;
  std::vector<ModelInfo> models;  // in the order of the members above
};

// Of a complete folder. The detectors and the line readers are loaded side by side; the log tells of each
// file in the order above.
Result<LoadedModels> load_models(const ModelFolder& folder, const ReaderSettings& settings,
                                 engine::Engine& engine);

}  // namespace alcove::sheets
