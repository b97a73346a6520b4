// The files of tests/golden, as Ultralytics and PyTorch wrote them, from disk to a checked graph.

#include "models/model_file.h"

#include <fmt/format.h>

#include "models/golden_files.h"
#include "models/initialisers.h"

namespace alcove::models {
namespace {

const graph::Model& graph_of(const ModelFile& file) {
  return std::visit([](const auto& model) -> const graph::Model& { return model.graph; }, file.model);
}

std::string shape_text(const graph::Port& port) {
  std::string text = port.name;
  for (const auto& each : port.shape) text += " " + (each.size >= 0 ? std::to_string(each.size) : each.name);
  return text;
}

TEST(LoadModel, BuildsEveryDetector) {
  for (const auto& known : golden_cases("detectors")) {
    SCOPED_TRACE(known["name"].get<std::string>());
    const auto file = load_model(kGolden / known["weights"].get<std::string>());
    ASSERT_TRUE(file) << file.error().message;
    const auto* detector = std::get_if<Detector>(&file->model);
    ASSERT_NE(detector, nullptr);
    EXPECT_EQ(detector->labels, known["labels"].get<std::vector<std::string>>());
    EXPECT_EQ(detector->stride, 32);
    EXPECT_EQ(detector->image_size, 640);
    EXPECT_EQ(file->precision, known["stored"].get<std::string>());
    EXPECT_GT(file->tensors, 100U);
    EXPECT_EQ(file->sha256.size(), 64U);
    ASSERT_EQ(detector->graph.inputs().size(), 1U);
    ASSERT_EQ(detector->graph.outputs().size(), 1U);
    EXPECT_EQ(shape_text(detector->graph.inputs()[0]), "images batch 3 height width");
    EXPECT_EQ(shape_text(detector->graph.outputs()[0]),
              fmt::format("output0 batch {} anchors", 4 + detector->labels.size()));
    const auto checked = detector->graph.check();
    EXPECT_TRUE(checked) << checked.error().message;
  }
}

TEST(LoadModel, CountsParametersAsUltralyticsDoes) {
  for (const auto& known : golden_cases("detectors")) {
    if (!known.contains("parameters")) continue;  // Ultralytics says nothing of an exported file
    const auto file = load_model(kGolden / known["weights"].get<std::string>());
    ASSERT_TRUE(file) << file.error().message;
    const auto text =
        fmt::format("{} parameters, stored as {}", with_commas(known["parameters"].get<std::int64_t>()),
                    known["stored"].get<std::string>());
    EXPECT_NE(std::get<Detector>(file->model).description.find(text), std::string::npos)
        << std::get<Detector>(file->model).description << " should say " << text;
  }
}

TEST(LoadModel, KnowsTheFamilies) {
  const auto begins = [](const char* name, std::string_view family) {
    const auto file = load_model(kGolden / "detectors" / name);
    return file && std::get<Detector>(file->model).description.starts_with(family);
  };
  EXPECT_TRUE(begins("yolov8n.pt", "YOLOv8 detector, 23 layers"));
  EXPECT_TRUE(begins("yolo11n.pt", "YOLO11 detector, 24 layers"));
  EXPECT_TRUE(begins("yolov5nu.pt", "YOLOv5u detector, 25 layers"));
}

TEST(LoadModel, BuildsEveryReader) {
  for (const auto& known : golden_cases("readers")) {
    SCOPED_TRACE(known["name"].get<std::string>());
    const auto file = load_model(kGolden / known["weights"].get<std::string>());
    ASSERT_TRUE(file) << file.error().message;
    const auto* reader = std::get_if<Reader>(&file->model);
    ASSERT_NE(reader, nullptr);
    EXPECT_EQ(reader->alphabet, known["alphabet"].get<std::string>());
    EXPECT_EQ(reader->classes, known["classes"].get<int>());
    EXPECT_EQ(file->precision, known["stored"].get<std::string>());
    EXPECT_NE(reader->description.find(fmt::format("7 convolutions, {} two-way", known["layers"].get<int>())),
              std::string::npos);
    EXPECT_EQ(shape_text(reader->graph.inputs().at(0)), "images batch 1 32 width");
    EXPECT_EQ(shape_text(reader->graph.outputs().at(0)),
              fmt::format("logits steps batch {}", reader->classes));
    EXPECT_EQ(reader->graph.metadata().at("alphabet"), reader->alphabet);
    const auto checked = reader->graph.check();
    EXPECT_TRUE(checked) << checked.error().message;
  }
}

TEST(LoadModel, LeavesTheWeightsInTheirFile) {
  const auto path = kGolden / "detectors" / "yolov8n.pt";
  const auto file = load_model(path);
  ASSERT_TRUE(file);
  const auto files = graph_of(*file).external_files();
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].path, path);
  EXPECT_LT(graph_of(*file).write_referencing().size(), graph_of(*file).write_inlined()->size() / 5);
}

TEST(LoadModel, ReadsBackWhatItExports) {
  const auto folder = std::filesystem::path(testing::TempDir());
  for (const auto* name :
       {"detectors/yolov8s.pt", "readers/subject_narrow.pth", "readers/register_half.pt"}) {
    const auto file = load_model(kGolden / name);
    ASSERT_TRUE(file);
    const auto exported = folder / "alcove_exported.onnx";
    std::ofstream(exported, std::ios::binary) << *graph_of(*file).write_inlined();
    const auto again = load_model(exported);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->kind, weights::FileKind::Onnx);
    EXPECT_EQ(again->tensors, file->tensors) << name;
    EXPECT_EQ(again->precision, file->precision) << name;
    ASSERT_EQ(again->model.index(), file->model.index());
    if (const auto* detector = std::get_if<Detector>(&again->model)) {
      EXPECT_EQ(detector->labels, std::get<Detector>(file->model).labels);
      EXPECT_EQ(detector->image_size, 640);
    } else {
      EXPECT_EQ(std::get<Reader>(again->model).alphabet, std::get<Reader>(file->model).alphabet);
    }
    std::filesystem::remove(exported);
  }
}

TEST(LoadModel, TakesUltralyticsOwnExport) {
  const auto file = load_model(kGolden / "detectors" / "yolov5nu_onnx.onnx");
  ASSERT_TRUE(file) << file.error().message;
  const auto& detector = std::get<Detector>(file->model);
  EXPECT_EQ(detector.labels, (std::vector<std::string>{"RegisterNumber", "SubjectCode"}));
  EXPECT_EQ(detector.stride, 32);
  EXPECT_EQ(detector.image_size, 640);
  EXPECT_TRUE(detector.graph.check());
}

TEST(LoadModel, RefusesOtherModelsByName) {
  for (const auto& known : golden_cases("refusals")) {
    const auto file = load_model(kGolden / known["file"].get<std::string>());
    ASSERT_FALSE(file) << known["file"];
    auto sentence = file.error().message;
    EXPECT_NE(sentence.find(known["file"].get<std::string>()), std::string::npos) << sentence;
    std::ranges::transform(sentence, sentence.begin(),
                           [](unsigned char letter) { return std::tolower(letter); });
    EXPECT_EQ(file.error().kind, ErrorKind::Unsupported) << sentence;
    EXPECT_NE(sentence.find(known["why"].get<std::string>()), std::string::npos) << sentence;
  }
}

TEST(LoadModel, SaysWhenAFileHoldsNeither) {
  const auto file = load_model(kGolden / "tensors" / "types.safetensors");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, ErrorKind::Unsupported);
  EXPECT_NE(file.error().message.find("types.safetensors"), std::string::npos);
  EXPECT_FALSE(load_model(kGolden / "no_such_file.pt"));
}

// What the networks gave is stored, so suppression and reading are pinned without an engine.
TEST(ReadDetections, FindsUltralyticsBoxes) {
  for (const auto& known : golden_cases("detectors"))
    for (const auto& one : known["cases"]) {
      const auto path = one["expected"].get<std::string>();
      SCOPED_TRACE(path);
      const auto output = golden_numbers(path, "output0");
      const auto boxes = golden_numbers(path, "boxes");
      const auto found = read_detections(output.values, static_cast<int>(known["labels"].size()));
      ASSERT_EQ(static_cast<std::int64_t>(found.size()), boxes.shape.at(0));
      EXPECT_GE(found.size(), 20U);
      for (std::size_t i = 0; i < found.size(); ++i) {
        const auto* row = &boxes.values[6 * i];
        EXPECT_FLOAT_EQ(found[i].confidence, row[4]) << i;
        EXPECT_EQ(static_cast<float>(found[i].label), row[5]) << i;
      }
    }
}

TEST(ReadGreedy, ReadsWhatTheOriginalReads) {
  for (const auto& known : golden_cases("readers"))
    for (const auto& one : known["cases"]) {
      SCOPED_TRACE(known["name"].get<std::string>() + " " + one["crop"].get<std::string>());
      const auto logits = golden_numbers(known["expected"].get<std::string>(), one["key"].get<std::string>());
      const auto classes = known["classes"].get<int>();
      ASSERT_EQ(logits.shape.back(), classes);
      const auto reading =
          read_greedy(posteriors_of(logits.values, classes), classes, known["alphabet"].get<std::string>());
      EXPECT_EQ(reading.text, one["text"].get<std::string>());
      EXPECT_NEAR(reading.confidence, one["confidence"].get<float>(), 1e-5);
      EXPECT_NEAR(reading.with_blanks, one["inflated"].get<float>(), 1e-5);
    }
}

}  // namespace
}  // namespace alcove::models
