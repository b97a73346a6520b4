#include "sheets/model_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <initializer_list>
#include <string_view>
#include <vector>

namespace alcove::sheets {
namespace {

constexpr std::string_view kSuffixes[] = {".pt", ".pth", ".bin", ".safetensors", ".onnx"};

std::optional<std::filesystem::path> find_stem(const std::filesystem::path& folder,
                                               std::initializer_list<std::string_view> stems) {
  for (const auto stem : stems)
    for (const auto suffix : kSuffixes) {
      auto path = folder / fmt::format("{}{}", stem, suffix);
      std::error_code unreadable;
      if (std::filesystem::is_regular_file(path, unreadable)) return path;
    }
  return std::nullopt;
}

}  // namespace

ModelFolder find_models(const std::filesystem::path& folder) {
  return {.folder = folder,
          .detector = find_stem(folder, {"improved_weights"}),
          .second_detector = find_stem(folder, {"weights"}),
          .register_reader = find_stem(folder, {"best_crnn_model(git)", "best_crnn_model"}),
          .subject_reader = find_stem(folder, {"best_subject_model_final"})};
}

std::string ModelFolder::missing_sentence() const {
  std::vector<std::string_view> missing;
  if (!detector) missing.push_back("improved_weights.pt");
  if (!register_reader) missing.push_back("best_crnn_model(git).pth");
  if (!subject_reader) missing.push_back("best_subject_model_final.pth");
  return fmt::format(
      "Model weights not found: {} in {}; put the files there or name their folder with --models",
      fmt::join(missing, ", "), folder.string());
}

}  // namespace alcove::sheets
