#pragma once
// Finds and opens the libraries that hold a runtime.

#include <filesystem>
#include <vector>

#include "engine/plugin.h"

namespace alcove::engine {

// The program's own folder, engine/ in it, then the one that the environment's ALCOVE_ENGINE names.
std::vector<std::filesystem::path> plugin_folders();

// From the first folder that has the file, for the device. Unavailable, naming every file looked for, when
// none has, when it cannot be opened, or when it belongs to another build. What was opened stays open.
Result<Runtime*> open_runtime(const std::vector<std::filesystem::path>& folders,
                              const char* file = kOpenVinoFile, Device device = Device::Cpu);

}  // namespace alcove::engine
