#include "sheets/loaded_models.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <future>
#include <utility>

#include "base/log.h"
#include "engine/blob_cache.h"
#include "graph/quantize.h"
#include "models/model_file.h"
#include "sheets/stopwatch.h"

namespace alcove::sheets {
namespace {

constexpr int kRegisterWidth = 256;  // of a reader's input, pixels
constexpr int kSubjectWidth = 128;

// A4 upright after letterboxing, which is what nearly every sheet is.
constexpr std::array<std::int64_t, 4> kUsualPage{1, 3, 640, 480};

Result<int> label_index(const std::vector<std::string>& labels, Field field) {
  const auto found = std::ranges::find(labels, name_of(field));
  if (found == labels.end())
    return fail(ErrorKind::BadInput, fmt::format("the detector's labels are {}; one of them has to be {}",
                                                 fmt::join(labels, ", "), name_of(field)));
  return static_cast<int>(found - labels.begin());
}

// Loads on one thread, and remembers what of: the log tells of files in their order, whichever is ready
// first.
class ModelLoader {
 public:
  ModelLoader(const ReaderSettings& settings, engine::Engine& engine)
      : settings_(settings), engine_(engine) {}

  Result<LoadedDetector> load_detector(const std::filesystem::path& path, std::string_view role);
  Result<LoadedDetector> load_quantized(const ModelFolder& folder);
  Result<LoadedReader> load_reader(const std::filesystem::path& path, std::string_view role, int width);

  void tell(std::vector<ModelInfo>& models) const;

 private:
  Result<models::ModelFile> open(const std::filesystem::path& path, std::string_view role);
  std::unexpected<Error> misplaced(std::string_view wanted) const;
  Result<std::unique_ptr<engine::Session>> start(const models::ModelFile& file, const graph::Model& graph);

  void note_ready();

  struct Ready {
    ModelInfo model;
    double seconds;  // it took, to the millisecond
  };

  const ReaderSettings& settings_;
  engine::Engine& engine_;
  Stopwatch watch_;
  ModelInfo opened_;  // the last
  std::vector<Ready> ready_;
};

// Logs what is ready, and adds it.
void ModelLoader::tell(std::vector<ModelInfo>& models) const {
  for (const auto& [model, seconds] : ready_) {
    log(LogLevel::Info, "model_loaded",
        {{"role", model.role}, {"file", model.file}, {"what", model.description}, {"seconds", seconds}});
    models.push_back(model);
  }
}

void ModelLoader::note_ready() { ready_.push_back({opened_, std::round(watch_.lap()) / 1e3}); }

Result<models::ModelFile> ModelLoader::open(const std::filesystem::path& path, std::string_view role) {
  watch_ = {};
  auto file = TRY(models::load_model(path));
  const auto description = std::visit([](const auto& model) { return model.description; }, file.model);
  opened_ = {std::string(role), path.filename().string(), file.sha256, description};
  return file;
}

Result<std::unique_ptr<engine::Session>> ModelLoader::start(const models::ModelFile& file,
                                                            const graph::Model& graph) {
  auto settings = settings_.engine;
  // Eight bits are for the network that was made of them and checked; the others keep what auto gives them.
  if (settings.precision == engine::Precision::I8 && !graph.metadata().contains(graph::kQuantizedFrom))
    settings.precision = engine::Precision::Auto;
  auto session = engine_.load(graph, {file.sha256}, settings);
  if (!session) return fail_in(file.path.filename().string(), std::move(session).error());
  return session;
}

// What open() opened last has another part's name.
std::unexpected<Error> ModelLoader::misplaced(std::string_view wanted) const {
  return fail(ErrorKind::BadInput,
              fmt::format("{} is not a {} but a {}; the names of two files may be swapped", opened_.file,
                          wanted, opened_.description));
}

Result<LoadedDetector> ModelLoader::load_detector(const std::filesystem::path& path, std::string_view role) {
  auto file = TRY(open(path, role));
  const auto* detector = std::get_if<models::Detector>(&file.model);
  if (detector == nullptr) return misplaced("detector");
  LoadedDetector loaded{.session = nullptr,
                        .classes = static_cast<int>(detector->labels.size()),
                        .image_size = detector->image_size,
                        .stride = detector->stride,
                        .register_label = TRY(label_index(detector->labels, Field::RegisterNumber)),
                        .subject_label = TRY(label_index(detector->labels, Field::SubjectCode))};
  loaded.session = TRY(start(file, detector->graph));
  TRY(loaded.session->warm_up(kUsualPage));
  note_ready();
  return loaded;
}

// Only the file that was made from these weights, and checked on a CPU like this one.
Result<LoadedDetector> ModelLoader::load_quantized(const ModelFolder& folder) {
  const auto path =
      settings_.quantized_detector.empty() ? folder.quantized_detector() : settings_.quantized_detector;
  const auto unfit = [&](std::string_view why) {
    return fail(ErrorKind::Unsupported,
                fmt::format("int8: {} {}; run: alcove model quantize {} --sheets SHEETS",
                            path.filename().string(), why, folder.folder.string()));
  };
  if (std::error_code unreadable; !std::filesystem::is_regular_file(path, unreadable))
    return unfit("is not there");
  const auto file = TRY(models::load_model(path));
  const auto& metadata =
      std::visit([](const auto& model) -> const auto& { return model.graph.metadata(); }, file.model);
  const auto is = [&](const char* key, const std::string& value) {
    const auto found = metadata.find(key);
    return found != metadata.end() && found->second == value;
  };
  if (!is(graph::kQuantizedFrom, TRY(models::load_model(*folder.detector)).sha256))
    return unfit("was made of other weights");
  if (!is(graph::kCheckedOn, engine::cpu_identity())) return unfit("was not checked on this kind of CPU");
  return load_detector(path, "detector");
}

Result<LoadedReader> ModelLoader::load_reader(const std::filesystem::path& path, std::string_view role,
                                              int width) {
  auto file = TRY(open(path, role));
  const auto* reader = std::get_if<models::Reader>(&file.model);
  if (reader == nullptr) return misplaced("line reader");
  LoadedReader loaded{.session = TRY(start(file, reader->graph)),
                      .alphabet = reader->alphabet,
                      .classes = reader->classes,
                      .width = width};
  // A batch of two compiles for batches of any size, which a single line then uses too.
  TRY(loaded.session->warm_up(std::array<std::int64_t, 4>{2, 1, kReaderHeight, width}));
  note_ready();
  return loaded;
}

// These two fill different members, so they may run side by side.
Result<void> load_detectors(ModelLoader& loader, const ModelFolder& folder, bool quantized,
                            LoadedModels& into) {
  into.detector =
      TRY(quantized ? loader.load_quantized(folder) : loader.load_detector(*folder.detector, "detector"));
  if (folder.second_detector)
    into.second_detector = TRY(loader.load_detector(*folder.second_detector, "second_detector"));
  return {};
}

Result<void> load_readers(ModelLoader& loader, const ModelFolder& folder, LoadedModels& into) {
  into.register_reader = TRY(loader.load_reader(*folder.register_reader, "register_reader", kRegisterWidth));
  into.subject_reader = TRY(loader.load_reader(*folder.subject_reader, "subject_reader", kSubjectWidth));
  return {};
}

}  // namespace

Result<LoadedModels> load_models(const ModelFolder& folder, const ReaderSettings& settings,
                                 engine::Engine& engine) {
  LoadedModels loaded;
  ModelLoader for_detectors(settings, engine), for_readers(settings, engine);
  auto readers_to_come =
      std::async(std::launch::async, [&] { return load_readers(for_readers, folder, loaded); });
  const bool quantized = settings.engine.precision == engine::Precision::I8;
  const auto detectors = load_detectors(for_detectors, folder, quantized, loaded);
  for_detectors.tell(loaded.models);
  const auto readers = readers_to_come.get();
  for_readers.tell(loaded.models);
  TRY(detectors);
  TRY(readers);
  return loaded;
}

}  // namespace alcove::sheets
