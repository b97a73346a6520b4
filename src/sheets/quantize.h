#pragma once
// A models folder's detector in eight bits: calibrated on sheets, and kept only when the same is read with
// it.

#include <functional>
#include <span>

#include "imaging/decoder.h"
#include "sheets/reader.h"

namespace alcove::sheets {

// Every other sheet is for calibration, the rest for the check.
constexpr std::size_t kLeastSheets = 24;
// Of the sheets checked, the share on which both fields have to be read as before, unless somebody says
// otherwise.
constexpr double kLeastAlike = 0.98;

struct Quantized {
  std::filesystem::path file;  // improved_weights.int8.onnx beside the detector
  std::size_t checked = 0;     // sheets
  std::size_t alike = 0;       // of those, read as before
};

// Writes the file, to be used with Precision::I8 on CPUs of this kind. `advance` is called for each sheet
// that is done with. BadInput when there are fewer than kLeastSheets, Unsupported when a smaller share than
// `least_alike` is read as before: then nothing is written.
Result<Quantized> quantize_detector(const ReaderSettings& settings, imaging::Decoder& decoder,
                                    std::span<const std::filesystem::path> sheets, double least_alike,
                                    const std::function<void()>& advance);

}  // namespace alcove::sheets
