#pragma once
// The flags that every command which reads sheets shares.

#include <memory>
#include <string>

#include "sheets/pipeline.h"

namespace CLI {
class App;
}

namespace alcove::app {

// Raw text as the flags hold it until it is checked.
struct ReaderOptions {
  std::string models = "models";
  std::string device = "auto";
  std::string engine = "auto";
  std::string precision = "auto";
  std::string cache;
  int threads = 0;
  bool compat_channel_swap = false;
  bool compat_subject_confidence = false;
  sheets::SheetOptions sheet;
};

// --models, --device, --engine, --precision, --threads, --cache, --as-is, --register-length, --compat-*, each
// with its environment twin (ALCOVE_MODELS and so on).
std::shared_ptr<ReaderOptions> add_reader_options(CLI::App& command);
void add_engine_options(CLI::App& command, ReaderOptions& options);  // those without the models folder

// BadInput naming the flag.
Result<sheets::ReaderSettings> reader_settings(const ReaderOptions& options);
Result<engine::Settings> engine_settings(const ReaderOptions& options);

}  // namespace alcove::app
