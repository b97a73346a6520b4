#include "sheets/model_folder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <initializer_list>

namespace alcove::sheets {
namespace {

std::filesystem::path folder_with(const std::string& name, std::initializer_list<const char*> files) {
  const auto folder = std::filesystem::path(testing::TempDir()) / name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  for (const auto* file : files) std::ofstream(folder / file) << "weights";
  return folder;
}

TEST(FindModels, KnowsTheOriginalsNames) {
  const auto models =
      find_models(folder_with("original", {"improved_weights.pt", "weights.pt", "best_crnn_model(git).pth",
                                           "best_subject_model_final.pth"}));
  EXPECT_TRUE(models.complete());
  EXPECT_EQ(models.register_reader->filename(), "best_crnn_model(git).pth");
  EXPECT_EQ(models.second_detector->filename(), "weights.pt");
}

TEST(FindModels, TakesTheGuidesSpellingAndOtherSuffixes) {
  const auto models = find_models(folder_with(
      "guide", {"improved_weights.onnx", "best_crnn_model.safetensors", "best_subject_model_final.bin"}));
  EXPECT_TRUE(models.complete());
  EXPECT_FALSE(models.second_detector);
}

TEST(FindModels, SaysWhichFileIsMissingAndWhere) {
  const auto models =
      find_models(folder_with("partial", {"improved_weights.pt", "best_crnn_model(git).pth"}));
  EXPECT_FALSE(models.complete());
  const auto sentence = models.missing_sentence();
  EXPECT_EQ(sentence.find("Model weights not found: best_subject_model_final.pth in "), 0U) << sentence;
  EXPECT_NE(sentence.find("partial"), std::string::npos) << sentence;
}

TEST(FindModels, AFolderThatIsNotThereIsEmpty) {
  const auto models = find_models("/nonexistent/models");
  EXPECT_FALSE(models.detector || models.register_reader || models.subject_reader);
}

}  // namespace
}  // namespace alcove::sheets
