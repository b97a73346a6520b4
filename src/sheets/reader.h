#pragma once
// A page to its two fields: detector, second detector, readers, candidates.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/box.h"
#include "engine/engine.h"
#include "imaging/image.h"
#include "models/crnn.h"
#include "sheets/model_folder.h"

namespace alcove::sheets {

enum class Field { RegisterNumber, SubjectCode };
std::string_view name_of(Field field);  // "RegisterNumber", "SubjectCode": also the detector's labels

struct Candidate {
  std::string value;               // what was read; empty when the box is blank
  float confidence = 0;            // of the text, 0..1
  float detection_confidence = 0;  // of the box, 0..1
  Box box;                         // in pixels of the page
  float sharpness = 1;             // of the box's picture, 0..1 (measures.h)
  std::vector<models::Symbol> symbols;
  std::vector<float> posteriors;  // [steps, classes], rows sum to 1; what scoring against a roster needs
  int classes = 0;
};

// The candidates of one field, best detection first.
struct FieldReading {
  std::vector<Candidate> candidates;
  std::optional<std::size_t> best;  // highest text confidence among those that are not empty

  const Candidate* best_candidate() const { return best ? &candidates[*best] : nullptr; }
};

struct Stage {
  std::string_view name;  // decode, orient, letterbox, detect, crop, read, total
  double milliseconds = 0;
};

// One page of a document that was looked at for its boxes.
struct PageLook {
  int number = 1;
  std::size_t register_boxes = 0;
  std::size_t subject_boxes = 0;
};

struct SheetReading {
  int width = 0;  // of the page as it was read, upright, pixels
  int height = 0;
  int orientation = 0;          // degrees clockwise the page was turned to be upright: 0, 90, 180, 270
  double skew = 0;              // degrees clockwise it was turned after that, to be level
  int page = 1;                 // the one read, from 1
  int pages = 1;                // in the document
  std::vector<PageLook> looks;  // the pages looked at, in order
  FieldReading register_number;
  FieldReading subject_code;
  std::vector<std::string> reasons;  // codes of sheets/reasons.h
  std::vector<Stage> timings;

  // The lower of the two best values' confidences; none when a field is missing.
  std::optional<float> confidence() const;
  bool has_both_boxes() const {
    return !register_number.candidates.empty() && !subject_code.candidates.empty();
  }
};

// Time of a stage that may come several times in one reading.
void add_time(std::vector<Stage>& timings, std::string_view name, double milliseconds);

struct ModelInfo {
  std::string role;  // detector, second_detector, register_reader, subject_reader
  std::string file;  // name without its folder
  std::string sha256;
  std::string description;
};

struct ReaderSettings {
  std::filesystem::path models = "models";
  std::filesystem::path quantized_detector;  // for Precision::I8; empty: the folder's
  engine::Settings engine;
  // What the original did, for weights tuned against it: red and blue swapped before the detector and before
  // grey.
  bool compat_channel_swap = false;
  // The original's confidence of a subject code, which counts runs of blanks.
  bool compat_subject_confidence = false;
};

// Loaded models. Every call is safe from any thread; read() runs on as many threads as
// settings.engine.requests says.
class SheetReader {
 public:
  // Loads, compiles and warms up; seconds when nothing is cached. Logs what it found and each file as it is
  // ready. NotFound carries "Model weights not found: …".
  static Result<std::unique_ptr<SheetReader>> load(const ReaderSettings& settings);
  virtual ~SheetReader() = default;

  // A page of 8-bit RGB, as it stands: pipeline.h is what turns and straightens. That nothing was found is a
  // reading, not an error.
  virtual Result<SheetReading> read(const imaging::Image& page) = 0;

  virtual std::vector<ModelInfo> models() const = 0;
  virtual std::string device() const = 0;         // "cpu", "cuda", as the original's /status says it
  virtual std::string device_reason() const = 0;  // why that one
  virtual std::string engine() const = 0;         // "OpenVINO 2026.2 on …"
  virtual std::string precision() const = 0;      // "f32", "bf16": the one in force
};

}  // namespace alcove::sheets
