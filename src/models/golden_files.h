#pragma once
// For tests: tests/golden/cases.json and the arrays it speaks of.

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json.h"
#include "weights/checkpoint.h"

namespace alcove::models {

inline const std::filesystem::path kGolden = std::filesystem::path(ALCOVE_SOURCE_DIR) / "tests" / "golden";

inline Json golden_cases(const char* part) {
  std::stringstream text;
  text << std::ifstream(kGolden / "cases.json").rdbuf();
  return parse_json(text.str()).value().at(part);
}

struct Numbers {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

// One array of a .safetensors file.
inline Numbers golden_numbers(const std::string& file, const std::string& name) {
  const auto checkpoint = weights::open_checkpoint(kGolden / file);
  if (!checkpoint) throw std::runtime_error(checkpoint.error().message);
  const auto& tensor = checkpoint->tensors.at(name);
  return {tensor.shape, weights::to_floats(tensor).value()};
}

}  // namespace alcove::models
