#pragma once
// A page to its two fields: detector, second detector, readers, candidates.

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/box.h"
#include "engine/engine.h"
#include "imaging/image.h"
#include "models/crnn.h"

namespace alcove::sheets {

enum class Field { RegisterNumber, SubjectCode };
std::string_view name_of(Field field);  // "RegisterNumber", "SubjectCode": the detector's labels

struct Candidate {
  std::string value;     // what was read; empty when the box is blank
  float confidence = 0;  // of the text, 0..1
  float detection_confidence = 0;
  Box box;  // in pixels of the page
  std::vector<models::Symbol> symbols;
  std::vector<float> posteriors;  // [steps, classes], for scoring against a roster later
  int classes = 0;
};

struct Stage {
  std::string name;
  double milliseconds = 0;
};

struct SheetReading {
  int width = 0, height = 0;                   // of the page, pixels
  std::vector<Candidate> register_candidates;  // best detection first
  std::vector<Candidate> subject_candidates;
  std::optional<std::size_t> register_best;  // highest text confidence among the non-empty
  std::optional<std::size_t> subject_best;
  std::vector<std::string> reasons;  // no_register_box, no_subject_box, blank_register, blank_subject, …;
                                     // empty when both were read
  std::vector<Stage> timings;

  const Candidate* best(Field field) const;
  std::optional<float> confidence() const;  // the lower of the two best; none when a field is missing
};

struct ModelInfo {
  std::string role, file, sha256, description;
};

struct ReaderSettings {
  std::filesystem::path models = "models";
  engine::Settings engine;
  bool compat_channel_swap = false;  // as the original: R and B swapped before the detector, and in grey
  bool compat_subject_confidence = false;  // the original's subject figure, which counts blanks
};

// Which of the files the contract names are in the folder, by role, and which spelling was found.
struct ModelFolder {
  std::optional<std::filesystem::path> detector, second_detector, register_reader, subject_reader;
  bool complete() const { return detector && register_reader && subject_reader; }
  std::string missing_sentence() const;  // "Model weights not found: …" naming the files and the folder
};
ModelFolder find_models(const std::filesystem::path& folder);

// Loaded models. read() is safe from any thread.
class SheetReader {
 public:
  // Loads, compiles and warms up; seconds on a cold cache. NotFound carries the contract's "Model weights not
  // found: …".
  static Result<std::unique_ptr<SheetReader>> load(const ReaderSettings& settings);
  virtual ~SheetReader() = default;

  virtual Result<SheetReading> read(const imaging::Image& page) = 0;
  virtual std::vector<ModelInfo> models() const = 0;
  virtual std::string device() const = 0;  // "cpu (OpenVINO 2026.1, f32, 2 threads)"
};

}  // namespace alcove::sheets
