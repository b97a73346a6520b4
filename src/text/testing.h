#pragma once
// For tests: what Hugging Face's tokenizers gave, from tests/golden/tokens, and folders to write.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json.h"

namespace alcove::text {

inline const std::filesystem::path kGoldenTokens =
    std::filesystem::path(ALCOVE_SOURCE_DIR) / "tests" / "golden" / "tokens";

inline Json golden_tokens(const char* part) {
  std::stringstream text;
  text << std::ifstream(kGoldenTokens / "cases.json").rdbuf();
  return parse_json(text.str()).value().at(part);
}

// A folder of the test's own, gone with it.
class Folder {
 public:
  Folder() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(testing::TempDir()) /
            (std::string("alcove-") + test->test_suite_name() + "-" + test->name());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void write(const char* name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace alcove::text
