// The whole way from weight file to boxes and text, held to what Ultralytics and PyTorch give for the same
// files (tests/golden/README.md has the recipe and the tolerances).

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/mapped_file.h"
#include "engine/engine.h"
#include "imaging/decode.h"
#include "models/model_file.h"

namespace alcove::sheets {
namespace {

const std::filesystem::path kGolden = std::filesystem::path(ALCOVE_SOURCE_DIR) / "tests" / "golden";

// A fixture that is missing or broken ends the test program: nothing it says would mean anything.
template <class T>
T need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

const Json& cases() {
  static const auto file = need(MappedFile::open(kGolden / "cases.json"));
  static const Json parsed = need(parse_json(as_text(file.bytes())));
  return parsed;
}

double tolerance(const char* stage, const char* name) {
  return cases()["tolerances"][stage][name].get<double>();
}

struct Numbers {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

Numbers golden_numbers(const std::string& file, const std::string& name) {
  const auto checkpoint = need(weights::open_checkpoint(kGolden / file));
  const auto* tensor = need(weights::find(checkpoint.tensors, name));
  return {tensor->shape, need(weights::to_floats(*tensor))};
}

std::unique_ptr<engine::Session> start(const graph::Model& graph, engine::Backend backend) {
  auto* engine = need(engine::open_engine({engine::Device::Cpu, backend}));
  return need(engine->load(graph, {}, {.precision = engine::Precision::F32}));
}

imaging::Image golden_page(const std::string& name, bool swap_channels) {
  const auto file = need(MappedFile::open(kGolden / "pages" / (name + ".png")));
  auto page = need(imaging::decode_page(file.bytes())).image;
  if (swap_channels)
    for (std::size_t i = 0; i < page.pixels.size(); i += 3) std::swap(page.pixels[i], page.pixels[i + 2]);
  return page;
}

struct GoldenCase {
  std::size_t model;
  std::string name;
  engine::Backend backend;
};

std::vector<GoldenCase> named(const char* kind) {
  std::vector<GoldenCase> list;
  for (std::size_t i = 0; i < cases()[kind].size(); ++i) {
    const auto name = cases()[kind][i]["name"].get<std::string>();
    list.push_back({i, name, engine::Backend::OpenVino});
    list.push_back({i, name + "_onnxruntime", engine::Backend::OnnxRuntime});
  }
  return list;
}

std::string test_name(const testing::TestParamInfo<GoldenCase>& info) { return info.param.name; }

class DetectorParity : public testing::TestWithParam<GoldenCase> {};

// The numbers of the raw head: boxes in letterboxed pixels in the first four rows, scores in the rest.
void expect_head(const std::vector<float>& got, const Numbers& expected) {
  ASSERT_EQ(got.size(), expected.values.size());
  const auto anchors = static_cast<std::size_t>(expected.shape[1]);
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double allowed = tolerance("output0", "relative") * std::abs(expected.values[i]) +
                           tolerance("output0", i < 4 * anchors ? "absolute_box" : "absolute_score");
    worst = std::max(worst, std::abs(got[i] - expected.values[i]) / allowed);
  }
  EXPECT_LE(worst, 1) << "in units of the tolerance";
}

// As sets: two boxes of nearly equal score may swap places.
void expect_boxes(const std::vector<models::Detection>& got, const imaging::Letterboxed& geometry,
                  const imaging::Image& page, const Numbers& expected) {
  ASSERT_GE(expected.shape[0], 20) << "too few boxes to prove anything";
  ASSERT_EQ(static_cast<std::int64_t>(got.size()), expected.shape[0]);
  std::vector<bool> taken(got.size(), false);
  for (std::size_t row = 0; row < got.size(); ++row) {
    const float* want = &expected.values[row * 6];
    bool found = false;
    for (std::size_t i = 0; i < got.size() && !found; ++i) {
      const auto box = imaging::to_page(got[i].box, geometry, page);
      const std::array<float, 4> sides{box.left, box.top, box.right, box.bottom};
      found = !taken[i] && got[i].label == static_cast<int>(want[5]) &&
              std::abs(got[i].confidence - want[4]) <= tolerance("boxes", "absolute_confidence");
      for (std::size_t side = 0; side < 4; ++side)
        found = found && std::abs(sides[side] - want[side]) <= tolerance("boxes", "absolute_px");
      if (found) taken[i] = true;
    }
    EXPECT_TRUE(found) << "no box like " << want[0] << ' ' << want[1] << ' ' << want[2] << ' ' << want[3]
                       << ", confidence " << want[4] << ", class " << want[5];
  }
}

TEST_P(DetectorParity, HeadAndBoxesAreUltralytics) {
  const auto& golden = cases()["detectors"][GetParam().model];
  const auto file = need(models::load_model(kGolden / golden["weights"].get<std::string>()));
  const auto& detector = std::get<models::Detector>(file.model);
  EXPECT_EQ(detector.labels, golden["labels"].get<std::vector<std::string>>());
  const auto session = start(detector.graph, GetParam().backend);
  for (const auto& test : golden["cases"]) {
    SCOPED_TRACE(test["expected"].get<std::string>());
    const auto page = golden_page(test["page"].get<std::string>(), test["channel_swap"].get<bool>());
    const auto prepared = imaging::letterbox(page, detector.image_size, detector.stride);
    const std::array<std::int64_t, 4> shape{1, 3, prepared.image.height, prepared.image.width};
    const auto outputs = need(session->run(shape, imaging::to_planes(prepared.image)));
    expect_head(outputs.front().values, golden_numbers(test["expected"].get<std::string>(), "output0"));
    const auto detections =
        models::read_detections(outputs.front().values, static_cast<int>(detector.labels.size()));
    expect_boxes(detections, prepared, page, golden_numbers(test["expected"].get<std::string>(), "boxes"));
  }
}

TEST_P(DetectorParity, ABatchEqualsItsSingles) {
  const auto& golden = cases()["detectors"][GetParam().model];
  const auto file = need(models::load_model(kGolden / golden["weights"].get<std::string>()));
  const auto& detector = std::get<models::Detector>(file.model);
  const auto session = start(detector.graph, GetParam().backend);
  const auto page = golden_page("small", false);
  const auto first = imaging::letterbox(page, detector.image_size, detector.stride).image;
  const auto second = imaging::turn(first, 2);
  auto both = imaging::to_planes(first);
  const auto more = imaging::to_planes(second);
  both.insert(both.end(), more.begin(), more.end());
  const auto batch =
      need(session->run(std::array<std::int64_t, 4>{2, 3, first.height, first.width}, both)).front().values;
  std::vector<float> singles;
  for (const auto* image : {&first, &second}) {
    const std::array<std::int64_t, 4> shape{1, 3, image->height, image->width};
    const auto one = need(session->run(shape, imaging::to_planes(*image))).front().values;
    singles.insert(singles.end(), one.begin(), one.end());
  }
  ASSERT_EQ(batch.size(), singles.size());
  for (std::size_t i = 0; i < batch.size(); ++i)
    ASSERT_NEAR(batch[i], singles[i], 1e-4 * std::abs(singles[i]) + 2e-3) << "at " << i;
}

INSTANTIATE_TEST_SUITE_P(Golden, DetectorParity, testing::ValuesIn(named("detectors")), test_name);

class ReaderParity : public testing::TestWithParam<GoldenCase> {};

// Rows of one line out of [T, N, classes].
std::vector<float> line_of(const engine::Array& logits, std::int64_t n) {
  const auto lines = logits.shape[1];
  const auto classes = logits.shape[2];
  std::vector<float> rows;
  for (std::int64_t step = 0; step < logits.shape[0]; ++step) {
    const auto at = logits.values.begin() + (step * lines + n) * classes;
    rows.insert(rows.end(), at, at + classes);
  }
  return rows;
}

TEST_P(ReaderParity, LogitsTextAndConfidenceArePyTorchs) {
  const auto& golden = cases()["readers"][GetParam().model];
  const auto file = need(models::load_model(kGolden / golden["weights"].get<std::string>()));
  const auto& reader = std::get<models::Reader>(file.model);
  EXPECT_EQ(reader.alphabet, golden["alphabet"].get<std::string>());
  const auto session = start(reader.graph, GetParam().backend);

  std::vector<float> batch;
  std::vector<std::vector<float>> singles;
  std::int64_t width = 0;
  for (const auto& test : golden["cases"]) {
    SCOPED_TRACE(test["crop"].get<std::string>());
    const auto crop =
        golden_numbers(cases()["crops"]["expected"].get<std::string>(), test["crop"].get<std::string>());
    width = crop.shape[2];
    batch.insert(batch.end(), crop.values.begin(), crop.values.end());
    const auto logits = need(session->run(std::array<std::int64_t, 4>{1, 1, 32, width}, crop.values)).front();
    singles.push_back(logits.values);

    const auto expected =
        golden_numbers(golden["expected"].get<std::string>(), test["key"].get<std::string>());
    ASSERT_EQ(logits.values.size(), expected.values.size());
    for (std::size_t i = 0; i < expected.values.size(); ++i)
      ASSERT_NEAR(logits.values[i], expected.values[i], tolerance("logits", "absolute")) << "at " << i;
    const auto line = models::read_greedy(models::posteriors_of(logits.values, reader.classes),
                                          reader.classes, reader.alphabet);
    EXPECT_FALSE(line.text.empty());
    EXPECT_EQ(line.text, test["text"].get<std::string>());
    EXPECT_NEAR(line.confidence, test["confidence"].get<double>(), tolerance("confidence", "absolute"));
    EXPECT_NEAR(line.with_blanks, test["inflated"].get<double>(), tolerance("confidence", "absolute"));
  }

  const auto count = static_cast<std::int64_t>(singles.size());
  const auto together = need(session->run(std::array<std::int64_t, 4>{count, 1, 32, width}, batch)).front();
  for (std::int64_t n = 0; n < count; ++n) {
    const auto rows = line_of(together, n);
    for (std::size_t i = 0; i < rows.size(); ++i)
      ASSERT_NEAR(rows[i], singles[static_cast<std::size_t>(n)][i], 1e-4) << "a batch equals its singles";
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, ReaderParity, testing::ValuesIn(named("readers")), test_name);

}  // namespace
}  // namespace alcove::sheets
