#pragma once
// What the tests of this folder share: a reader that needs no weights.

#include <functional>

#include "sheets/reader.h"

namespace alcove::sheets {

inline Candidate candidate(std::string value, float confidence, float detection,
                           Box box = {10, 10, 310, 60}) {
  Candidate made;
  made.value = std::move(value);
  made.confidence = confidence;
  made.detection_confidence = detection;
  made.box = box;
  return made;
}

inline FieldReading field(std::vector<Candidate> candidates) {
  FieldReading made{.candidates = std::move(candidates), .best = {}};
  for (std::size_t i = 0; i < made.candidates.size() && !made.best; ++i)
    if (!made.candidates[i].value.empty()) made.best = i;
  return made;
}

inline SheetReading both(float confidence = 0.95F) {
  SheetReading reading;
  reading.register_number = field({candidate("212223060100", confidence, 0.9F)});
  reading.subject_code = field({candidate("19AI405", confidence, 0.9F)});
  return reading;
}

// Gives what the test's function makes of a page, and counts how often it is asked.
class FakeReader final : public SheetReader {
 public:
  using Read = std::function<SheetReading(const imaging::Image&)>;
  explicit FakeReader(Read read) : read_(std::move(read)) {}

  Result<SheetReading> read(const imaging::Image& page) override {
    ++asked;
    auto reading = read_(page);
    reading.width = page.width;
    reading.height = page.height;
    add_time(reading.timings, "detect", 10);
    return reading;
  }
  std::vector<ModelInfo> models() const override { return {}; }
  std::string device() const override { return "cpu"; }
  std::string device_reason() const override { return "a test"; }
  std::string engine() const override { return "none"; }
  std::string precision() const override { return "f32"; }

  int asked = 0;

 private:
  Read read_;
};

}  // namespace alcove::sheets
