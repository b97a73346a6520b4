#include "app/reader_options.h"

#include <CLI/CLI.hpp>

#include <cstdlib>

namespace alcove::app {
namespace {

// Where compiled models are kept when nobody says: the user's cache folder, or nowhere when there is no home.
std::filesystem::path default_cache() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0')
    return std::filesystem::path(cache) / "alcove";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::filesystem::path(home) / ".cache" / "alcove";
  return {};
}

}  // namespace

void add_engine_options(CLI::App& command, ReaderOptions& options) {
  command
      .add_option("--device", options.device,
                  "auto, cpu or cuda; auto is cuda where an NVIDIA GPU and ONNX Runtime for it are usable")
      ->envname("ALCOVE_DEVICE")
      ->capture_default_str();
  command
      .add_option("--engine", options.engine,
                  "auto, openvino or onnxruntime; auto is OpenVINO on the CPU, ONNX Runtime on cuda")
      ->envname("ALCOVE_ENGINE_NAME")
      ->capture_default_str();
  command
      .add_option("--precision", options.precision,
                  "auto, f32, bf16, f16 or int8; auto is bf16 where the CPU is faster in it, on cuda f16 "
                  "where the model "
                  "keeps its numbers in it")
      ->envname("ALCOVE_PRECISION")
      ->capture_default_str();
  command.add_option("--threads", options.threads, "CPU threads; 0 takes what the container's quota allows")
      ->envname("ALCOVE_THREADS")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command
      .add_option("--cache", options.cache, "folder for compiled models; `none` keeps none [~/.cache/alcove]")
      ->envname("ALCOVE_CACHE");
}

std::shared_ptr<ReaderOptions> add_reader_options(CLI::App& command) {
  auto options = std::make_shared<ReaderOptions>();
  command.add_option("--models", options->models, "folder with the detector and the two readers")
      ->envname("ALCOVE_MODELS")
      ->capture_default_str();
  add_engine_options(command, *options);
  command
      .add_flag("--as-is", options->sheet.as_is,
                "read the first page as it stands: no turning, no straightening, no search for the cover")
      ->envname("ALCOVE_AS_IS");
  command
      .add_option("--register-length", options->sheet.register_length,
                  "digits a register number has; any other length is a reason to look; 0: any")
      ->envname("ALCOVE_REGISTER_LENGTH")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  command
      .add_flag("--compat-channel-swap", options->compat_channel_swap,
                "swap red and blue as the original does, for weights tuned against it")
      ->envname("ALCOVE_COMPAT_CHANNEL_SWAP");
  command
      .add_flag("--compat-subject-confidence", options->compat_subject_confidence,
                "count blanks into a subject code's confidence, as the original does")
      ->envname("ALCOVE_COMPAT_SUBJECT_CONFIDENCE");
  return options;
}

Result<engine::Settings> engine_settings(const ReaderOptions& options) {
  engine::Settings settings;
  settings.choice.device = TRY(engine::parse_device(options.device));
  settings.choice.backend = TRY(engine::parse_backend(options.engine));
  settings.precision = TRY(engine::parse_precision(options.precision));
  settings.threads = options.threads;
  settings.cache = options.cache.empty() ? default_cache() : std::filesystem::path(options.cache);
  if (options.cache == "none") settings.cache.clear();
  return settings;
}

Result<sheets::ReaderSettings> reader_settings(const ReaderOptions& options) {
  return sheets::ReaderSettings{.models = options.models,
                                .engine = TRY(engine_settings(options)),
                                .compat_channel_swap = options.compat_channel_swap,
                                .compat_subject_confidence = options.compat_subject_confidence};
}

}  // namespace alcove::app
