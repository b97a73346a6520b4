#include "models/onnx_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "graph/builder.h"

namespace alcove::models {
namespace {

using graph::Dimension;
using Metadata = std::map<std::string, std::string>;

constexpr std::int64_t kFree = -1;

graph::Port port(const std::string& name, const std::vector<std::int64_t>& sizes) {
  graph::Port made{.name = name};
  for (std::size_t i = 0; i < sizes.size(); ++i)
    made.shape.push_back(sizes[i] == kFree ? Dimension{.name = name + std::to_string(i)}
                                           : Dimension{.size = sizes[i], .name = {}});
  return made;
}

graph::Model graph_with(const std::vector<std::int64_t>& in, const std::vector<std::int64_t>& out,
                        const Metadata& metadata = {}) {
  graph::Builder builder("test");
  const auto images = builder.input(port("images", in));
  builder.node("Identity", {images}, {}, "out");
  builder.output(port("out", out));
  for (const auto& [key, value] : metadata) builder.metadata(key, value);
  return std::move(builder).finish();
}

class OnnxFile : public testing::Test {
 protected:
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("alcove_onnx_file_" + std::to_string(::getpid()));
  const std::filesystem::path path = folder / "sheets.onnx";
  void SetUp() override { std::filesystem::create_directories(folder); }
  void TearDown() override { std::filesystem::remove_all(folder); }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder / name) << text; }

  std::string refusal_of(graph::Model graph) {
    const auto taken = take_onnx(std::move(graph), path);
    if (taken) return "it was taken";
    EXPECT_EQ(taken.error().kind, ErrorKind::Unsupported);
    return taken.error().message;
  }
};

const Metadata kNames{{"names", "{0: 'a', 1: 'b'}"}, {"stride", "64"}, {"imgsz", "[640, 1280]"}};

TEST_F(OnnxFile, ADetectorSaysItsNamesItself) {
  auto taken = take_onnx(graph_with({kFree, 3, kFree, kFree}, {kFree, 6, kFree}, kNames), path);
  ASSERT_TRUE(taken) << taken.error().message;
  const auto& detector = std::get<Detector>(*taken);
  EXPECT_EQ(detector.labels, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(detector.stride, 64);
  EXPECT_EQ(detector.image_size, 1280);
}

TEST_F(OnnxFile, OrAFileBesideIt) {
  const auto labels_found = [&] {
    return std::get<Detector>(*take_onnx(graph_with({1, 3, 640, 640}, {1, 6, 8400}), path)).labels;
  };
  EXPECT_NE(refusal_of(graph_with({1, 3, 640, 640}, {1, 6, 8400})).find("sheets.onnx.labels, one a line"),
            std::string::npos);
  write("labels.txt", "x\ny\n");
  EXPECT_EQ(labels_found(), (std::vector<std::string>{"x", "y"}));
  write("sheets.onnx.labels", "RegisterNumber\nSubjectCode\n");
  EXPECT_EQ(labels_found(), (std::vector<std::string>{"RegisterNumber", "SubjectCode"}));
  write("sheets.onnx.labels", "only one\n");
  EXPECT_NE(refusal_of(graph_with({1, 3, 640, 640}, {1, 6, 8400})).find("does not fit its 1 class names"),
            std::string::npos);
}

TEST_F(OnnxFile, AReaderIsKnownByItsGreyPicture) {
  auto taken = take_onnx(graph_with({kFree, 1, 32, kFree}, {kFree, kFree, 11}), path);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(std::get<Reader>(*taken).alphabet, "0123456789");
  EXPECT_EQ(std::get<Reader>(*taken).classes, 11);
}

TEST_F(OnnxFile, OrByItsAlphabet) {
  auto taken =
      take_onnx(graph_with({kFree, kFree, 32, kFree}, {kFree, kFree, kFree}, {{"alphabet", "xyz"}}), path);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(std::get<Reader>(*taken).alphabet, "xyz");
  EXPECT_EQ(std::get<Reader>(*taken).classes, 4);
  EXPECT_NE(refusal_of(graph_with({1, 1, 32, 256}, {64, 1, 11}, {{"alphabet", "xyz"}})).find("3 symbols"),
            std::string::npos);
}

TEST_F(OnnxFile, AnAlphabetMayLieBesideIt) {
  write("sheets.onnx.alphabet", "ab\n");
  EXPECT_EQ(std::get<Reader>(*take_onnx(graph_with({1, 1, 32, 256}, {64, 1, 3}), path)).alphabet, "ab");
  std::filesystem::remove(folder / "sheets.onnx.alphabet");
  EXPECT_NE(refusal_of(graph_with({1, 1, 32, 256}, {64, 1, kFree})).find("sheets.onnx.alphabet, one line"),
            std::string::npos);
}

TEST_F(OnnxFile, RefusesOtherShapes) {
  EXPECT_NE(refusal_of(graph_with({1, 3, 640, 640}, {1, 300, 6}, kNames)).find("an end-to-end export"),
            std::string::npos);
  EXPECT_NE(
      refusal_of(graph_with({1, 3, 224, 224}, {1, 1000}, kNames)).find("[N,4+classes,anchors] of [N,3,H,W]"),
      std::string::npos);
  EXPECT_NE(refusal_of(graph_with({1, 1, 64, 256}, {64, 1, 11})).find("[N,1,32,W]"), std::string::npos);
  EXPECT_NE(refusal_of(graph_with({1, 3, 640, 640}, {1, 6, 8400}, {{"task", "segment"}})).find("'segment'"),
            std::string::npos);
}

TEST_F(OnnxFile, RefusesMoreThanOneOutput) {
  graph::Builder builder("test");
  const auto images = builder.input(port("images", {1, 3, 640, 640}));
  for (const auto* name : {"output0", "output1"}) {
    builder.node("Identity", {images}, {}, name);
    builder.output(port(name, {1, 6, 8400}));
  }
  EXPECT_NE(refusal_of(std::move(builder).finish()).find("1 inputs and 2 outputs"), std::string::npos);
}

}  // namespace
}  // namespace alcove::models
