#pragma once
// `alcove model …` for a folder of the BERT family instead of a weight file.

#include <filesystem>
#include <string>

#include "base/json.h"
#include "engine/engine.h"

namespace alcove::app {

bool is_text_folder(const std::filesystem::path& path);  // a folder with a config.json

Result<Json> describe_text_folder(const std::filesystem::path& path);

// One ONNX file's bytes, as Optimum exports them: last_hidden_state, and sentence_embedding besides.
Result<std::string> export_text_folder(const std::filesystem::path& path);

// Compiles it into the cache that `settings` name; gives a line about it.
Result<std::string> prepare_text_folder(const std::filesystem::path& path, const engine::Settings& settings);

}  // namespace alcove::app
