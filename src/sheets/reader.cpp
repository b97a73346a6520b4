#include "sheets/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"
#include "models/crnn.h"
#include "models/yolo.h"
#include "sheets/loaded_models.h"
#include "sheets/measures.h"
#include "sheets/stopwatch.h"

namespace alcove::sheets {
namespace {

// Boxes of one field that are read, best first. A sheet has one or two; a request keeps the memory of its
// largest batch.
constexpr std::size_t kMaxBoxes = 16;

struct FoundBox {
  Box box;
  float confidence = 0;
};

struct FoundBoxes {
  std::vector<FoundBox> register_number;
  std::vector<FoundBox> subject_code;
};

void pick_best(FieldReading& field) {
  for (std::size_t i = 0; i < field.candidates.size(); ++i) {
    if (field.candidates[i].value.empty()) continue;
    if (!field.best || field.candidates[i].confidence > field.candidates[*field.best].confidence)
      field.best = i;
  }
}

void log_found(const ModelFolder& folder) {
  std::vector<std::string> names;
  for (const auto& file :
       {folder.detector, folder.second_detector, folder.register_reader, folder.subject_reader})
    if (file) names.push_back(file->filename().string());
  log(LogLevel::Info, "models_found",
      {{"folder", folder.folder.string()}, {"files", fmt::format("{}", fmt::join(names, ", "))}});
}

class LoadedSheetReader final : public SheetReader {
 public:
  static Result<std::unique_ptr<SheetReader>> load(const ReaderSettings& settings);

  Result<SheetReading> read(const imaging::Image& page) override;
  std::vector<ModelInfo> models() const override { return loaded_.models; }
  std::string device() const override { return std::string(engine::name_of(engine_->device())); }
  std::string device_reason() const override { return engine_->reason(); }
  std::string engine() const override { return engine_->description(); }
  std::string precision() const override {
    return std::string(name_of(loaded_.detector.session->precision()));
  }

 private:
  Result<FoundBoxes> detect(const LoadedDetector& detector, const imaging::Image& page, Stopwatch& watch,
                            std::vector<Stage>& timings) const;
  Result<FieldReading> read_field(const LoadedReader& reader, const imaging::Image& page,
                                  const std::vector<FoundBox>& boxes, Stopwatch& watch, double& crop_ms,
                                  double& read_ms) const;

  ReaderSettings settings_;
  engine::Engine* engine_ = nullptr;
  LoadedModels loaded_;
};

Result<std::unique_ptr<SheetReader>> LoadedSheetReader::load(const ReaderSettings& settings) {
  const auto folder = find_models(settings.models);
  if (!folder.complete()) return fail(ErrorKind::NotFound, folder.missing_sentence(), "models_not_found");
  log_found(folder);
  auto made = std::make_unique<LoadedSheetReader>();
  made->settings_ = settings;
  made->engine_ = TRY(engine::open_engine(settings.engine.choice));
  made->loaded_ = TRY(load_models(folder, settings, *made->engine_));
  return made;
}

Result<SheetReading> LoadedSheetReader::read(const imaging::Image& original) {
  Stopwatch watch;
  const imaging::Image swapped =
      settings_.compat_channel_swap ? imaging::swap_red_blue(original) : imaging::Image{};
  const imaging::Image& page = settings_.compat_channel_swap ? swapped : original;

  SheetReading reading{.width = page.width, .height = page.height};
  auto boxes = TRY(detect(loaded_.detector, page, watch, reading.timings));
  if (loaded_.second_detector && (boxes.register_number.empty() || boxes.subject_code.empty())) {
    auto more = TRY(detect(*loaded_.second_detector, page, watch, reading.timings));
    if (boxes.register_number.empty()) boxes.register_number = std::move(more.register_number);
    if (boxes.subject_code.empty()) boxes.subject_code = std::move(more.subject_code);
  }

  double crop_ms = 0;
  double read_ms = 0;
  reading.register_number =
      TRY(read_field(loaded_.register_reader, page, boxes.register_number, watch, crop_ms, read_ms));
  reading.subject_code =
      TRY(read_field(loaded_.subject_reader, page, boxes.subject_code, watch, crop_ms, read_ms));
  add_time(reading.timings, "crop", crop_ms);
  add_time(reading.timings, "read", read_ms);

  if (settings_.compat_subject_confidence)
    for (auto& candidate : reading.subject_code.candidates)
      candidate.confidence =
          models::read_greedy(candidate.posteriors, candidate.classes, loaded_.subject_reader.alphabet)
              .with_blanks;
  pick_best(reading.register_number);
  pick_best(reading.subject_code);
  return reading;
}

Result<FoundBoxes> LoadedSheetReader::detect(const LoadedDetector& detector, const imaging::Image& page,
                                             Stopwatch& watch, std::vector<Stage>& timings) const {
  const auto prepared = imaging::letterbox(page, detector.image_size, detector.stride);
  const auto planes = imaging::to_planes(prepared.image);
  add_time(timings, "letterbox", watch.lap());

  const std::array<std::int64_t, 4> shape{1, 3, prepared.image.height, prepared.image.width};
  const auto outputs = TRY(detector.session->run(shape, planes));
  const std::size_t rows = 4 + static_cast<std::size_t>(detector.classes);
  if (outputs.empty() || outputs.front().shape.size() != 3 || outputs.front().values.size() % rows != 0)
    return fail(ErrorKind::Internal, "the detector's output is not [1, 4 + classes, anchors]");
  FoundBoxes found;
  for (const auto& detection : models::read_detections(outputs.front().values, detector.classes)) {
    const FoundBox box{imaging::to_page(detection.box, prepared, page), detection.confidence};
    auto* field = detection.label == detector.register_label  ? &found.register_number
                  : detection.label == detector.subject_label ? &found.subject_code
                                                              : nullptr;
    if (field != nullptr && field->size() < kMaxBoxes) field->push_back(box);
  }
  add_time(timings, "detect", watch.lap());
  return found;
}

// All boxes of the field in one batch.
Result<FieldReading> LoadedSheetReader::read_field(const LoadedReader& reader, const imaging::Image& page,
                                                   const std::vector<FoundBox>& boxes, Stopwatch& watch,
                                                   double& crop_ms, double& read_ms) const {
  FieldReading field;
  std::vector<float> inputs;
  for (const auto& found : boxes) {
    const auto input = imaging::reader_input(page, found.box, reader.width);
    if (!input) continue;  // a box with no pixel on the page holds nothing to read
    inputs.insert(inputs.end(), input->begin(), input->end());
    Candidate candidate;
    candidate.box = found.box;
    candidate.detection_confidence = found.confidence;
    candidate.sharpness = sharpness_of(page, found.box);
    candidate.classes = reader.classes;
    field.candidates.push_back(std::move(candidate));
  }
  crop_ms += watch.lap();
  if (field.candidates.empty()) return field;

  const auto count = static_cast<std::int64_t>(field.candidates.size());
  const std::array<std::int64_t, 4> shape{count, 1, kReaderHeight, reader.width};
  const auto outputs = TRY(reader.session->run(shape, inputs));
  if (outputs.empty() || outputs.front().shape.size() != 3 || outputs.front().shape[1] != count ||
      outputs.front().shape[2] != reader.classes)
    return fail(ErrorKind::Internal, "the reader's output is not [steps, batch, classes]");
  const auto& logits = outputs.front();  // [T, N, classes]
  const auto steps = static_cast<std::size_t>(logits.shape[0]);
  const auto classes = static_cast<std::size_t>(reader.classes);
  for (std::size_t n = 0; n < field.candidates.size(); ++n) {
    std::vector<float> rows;
    rows.reserve(steps * classes);
    for (std::size_t step = 0; step < steps; ++step) {
      const auto row =
          logits.values.begin() + static_cast<std::ptrdiff_t>((step * field.candidates.size() + n) * classes);
      rows.insert(rows.end(), row, row + static_cast<std::ptrdiff_t>(classes));
    }
    auto& candidate = field.candidates[n];
    candidate.posteriors = models::posteriors_of(rows, reader.classes);
    auto line = models::read_greedy(candidate.posteriors, reader.classes, reader.alphabet);
    candidate.value = std::move(line.text);
    candidate.confidence = line.confidence;
    candidate.symbols = std::move(line.symbols);
  }
  read_ms += watch.lap();
  return field;
}

}  // namespace

std::string_view name_of(Field field) {
  return field == Field::RegisterNumber ? "RegisterNumber" : "SubjectCode";
}

void add_time(std::vector<Stage>& timings, std::string_view name, double milliseconds) {
  const auto known = std::ranges::find(timings, name, &Stage::name);
  if (known == timings.end())
    timings.push_back({name, milliseconds});
  else
    known->milliseconds += milliseconds;
}

std::optional<float> SheetReading::confidence() const {
  const auto* number = register_number.best_candidate();
  const auto* code = subject_code.best_candidate();
  if (number == nullptr || code == nullptr) return std::nullopt;
  return std::min(number->confidence, code->confidence);
}

Result<std::unique_ptr<SheetReader>> SheetReader::load(const ReaderSettings& settings) {
  return LoadedSheetReader::load(settings);
}

}  // namespace alcove::sheets
