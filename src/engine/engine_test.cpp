#include "engine/engine.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "engine/loader.h"
#include "graph/builder.h"

namespace alcove::engine {
namespace {

namespace fs = std::filesystem;
using Shape = std::vector<std::int64_t>;
using Numbers = std::vector<float>;

std::size_t count_of(const Shape& shape) {
  std::size_t count = 1;
  for (const auto size : shape) count *= static_cast<std::size_t>(size);
  return count;
}

Numbers noise(std::size_t count, unsigned seed) {
  Numbers values(count);
  for (auto& value : values) {
    seed = seed * 1664525U + 1013904223U;
    value = static_cast<float>(seed >> 8) / static_cast<float>(1U << 24) - 0.5F;
  }
  return values;
}

// The C library's file, wherever this system keeps it: a library, and not ours.
fs::path c_library() {
  Dl_info info{};
  return ::dladdr(reinterpret_cast<const void*>(&std::strtod), &info) ? info.dli_fname : "";
}

// images [N,1,H,W] → features [N,2,H,W], a 3 × 3 convolution whose kernels stay in their file, and steps
// [W,N,2,H], the same turned as a line reader turns it.
class EngineTest : public testing::TestWithParam<Backend> {
 protected:
  static constexpr std::size_t kOffset = 64;  // of the kernels in the file

  void SetUp() override {
    auto engine = open_engine({Device::Cpu, GetParam()});
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = *engine;
  }

  EngineTest() {
    std::string name = (fs::temp_directory_path() / "alcove-engine-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    weights_ = folder_ / "weights of ünit tests.pt";
    write_weights(weights_, kernels_);
  }
  ~EngineTest() override { fs::remove_all(folder_); }

  static void write_weights(const fs::path& path, const Numbers& kernels) {
    std::ofstream out(path, std::ios::binary);
    out << std::string(kOffset, 'p');
    out.write(reinterpret_cast<const char*>(kernels.data()),
              static_cast<std::streamsize>(kernels.size() * sizeof(float)));
  }

  graph::Model model(const fs::path& weights) const {
    using graph::Integers;
    graph::Builder builder("unit");
    const auto images =
        builder.input({"images", graph::ElementType::F32, {{-1, "N"}, {1, ""}, {-1, "H"}, {-1, "W"}}});
    const graph::ExternalData kernels{weights, kOffset, kernels_.size() * sizeof(float),
                                      reinterpret_cast<const std::uint8_t*>(kernels_.data()), nullptr};
    const auto weight = builder.add_weight({"kernels", graph::ElementType::F32, {2, 1, 3, 3}, kernels});
    const auto features =
        builder.node("Conv", {images, weight},
                     {{"kernel_shape", Integers{3, 3}}, {"pads", Integers{1, 1, 1, 1}}}, "features");
    builder.node("Transpose", {features}, {{"perm", Integers{3, 0, 1, 2}}}, "steps");
    builder.output({"features", graph::ElementType::F32, {{-1, "N"}, {2, ""}, {-1, "H"}, {-1, "W"}}});
    builder.output({"steps", graph::ElementType::F32, {{-1, "W"}, {-1, "N"}, {2, ""}, {-1, "H"}}});
    return std::move(builder).finish();
  }

  std::unique_ptr<Session> load(const Settings& settings = {}, const std::string& sha256 = "5eed") const {
    auto session = engine_->load(model(weights_), {sha256}, settings);
    EXPECT_TRUE(session) << session.error().message;
    return std::move(*session);
  }

  // The convolution by the definition.
  Numbers expected(const Shape& shape, const Numbers& images) const {
    const auto height = shape[2];
    const auto width = shape[3];
    Numbers out;
    for (std::int64_t n = 0; n < shape[0]; ++n)
      for (std::size_t channel = 0; channel < 2; ++channel)
        for (std::int64_t y = 0; y < height; ++y)
          for (std::int64_t x = 0; x < width; ++x) {
            double sum = 0;
            for (std::int64_t i = 0; i < 9; ++i) {
              const auto from_y = y + i / 3 - 1;
              const auto from_x = x + i % 3 - 1;
              if (from_y < 0 || from_y >= height || from_x < 0 || from_x >= width) continue;
              sum += kernels_[channel * 9 + static_cast<std::size_t>(i)] *
                     images[static_cast<std::size_t>((n * height + from_y) * width + from_x)];
            }
            out.push_back(static_cast<float>(sum));
          }
    return out;
  }

  // Nine products of halves at most; bf16 rounds both factors, and the sum, to eight bits.
  static void expect_near(const Numbers& numbers, const Numbers& wanted, Precision precision) {
    const double tolerance = precision == Precision::F32 ? 1e-5 : 9 * 0.25 * 1.5 / 256;
    ASSERT_EQ(numbers.size(), wanted.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_NEAR(numbers[i], wanted[i], tolerance) << i;
  }

  void expect_right(Session& session, const Shape& shape, unsigned seed = 1) const {
    const auto images = noise(count_of(shape), seed);
    const auto out = session.run(shape, images);
    ASSERT_TRUE(out) << out.error().message;
    ASSERT_EQ(out->size(), 2u);
    EXPECT_EQ((*out)[0].shape, (Shape{shape[0], 2, shape[2], shape[3]}));
    EXPECT_EQ((*out)[1].shape, (Shape{shape[3], shape[0], 2, shape[2]}));
    expect_near((*out)[0].values, expected(shape, images), session.precision());
  }

  fs::path only_blob(const fs::path& cache) const {
    EXPECT_EQ(std::distance(fs::directory_iterator(cache), fs::directory_iterator()), 1);
    return fs::directory_iterator(cache)->path();
  }

  Engine* engine_ = nullptr;
  fs::path folder_;
  fs::path weights_;
  const Numbers kernels_ = noise(18, 7);
};

class BlobTest : public EngineTest {};  // of engines that keep what they compiled

TEST_P(EngineTest, RunsAModelWhoseWeightsStayInTheirFile) {
  auto session = load();
  expect_right(*session, {1, 1, 8, 12});
  expect_right(*session, {1, 1, 5, 7}, 2);  // another shape
  expect_right(*session, {1, 1, 8, 12}, 3);
}

TEST_P(EngineTest, GivesOutputsInTheModelsOrder) {
  const Shape shape{2, 1, 3, 4};
  const auto out = load()->run(shape, noise(24, 5));
  ASSERT_TRUE(out) << out.error().message;
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t rest = 0; rest < 6; ++rest)  // channel and row
      for (std::size_t x = 0; x < 4; ++x)
        EXPECT_EQ((*out)[1].values[(x * 2 + n) * 6 + rest], (*out)[0].values[(n * 6 + rest) * 4 + x]);
}

TEST_P(EngineTest, ABatchEqualsItsSingles) {
  auto session = load();
  auto singles = load();
  for (const std::int64_t count : {1, 2, 3, 8, 5}) {
    const auto images = noise(count_of({count, 1, 8, 12}), 11);
    const auto batch = session->run(Shape{count, 1, 8, 12}, images);
    ASSERT_TRUE(batch) << batch.error().message;
    Numbers joined;
    for (std::int64_t n = 0; n < count; ++n) {
      const auto one =
          singles->run(Shape{1, 1, 8, 12}, std::span(images).subspan(static_cast<std::size_t>(n) * 96, 96));
      ASSERT_TRUE(one) << one.error().message;
      joined.insert(joined.end(), one->front().values.begin(), one->front().values.end());
    }
    expect_near(batch->front().values, joined, session->precision());
  }
}

TEST_P(EngineTest, ManyThreadsShareASession) {
  for (const int requests : {1, 3}) {
    auto session = load({.threads = 2, .requests = requests});
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 6; ++i)
      threads.emplace_back([&, i] {
        for (unsigned round = 0; round < 20; ++round)
          expect_right(*session, {1 + (i + round) % 3, 1, 6 + i % 2, 9}, i * 100 + round);
      });
  }
}

TEST_P(EngineTest, RefusesWhatTheModelDoesNotTake) {
  auto session = load();
  for (const auto& shape : {Shape{1, 3, 8, 8}, Shape{1, 1, 8}, Shape{1, 1, 0, 8}}) {
    const auto out = session->run(shape, Numbers(64));
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().kind, ErrorKind::BadInput);
    EXPECT_NE(out.error().message.find("images [N,1,H,W]"), std::string::npos) << out.error().message;
  }
  EXPECT_EQ(session->warm_up(Shape{1, 2, 8, 8}).error().kind, ErrorKind::BadInput);
  EXPECT_TRUE(session->warm_up(Shape{1, 1, 8, 8}));
}

TEST_P(EngineTest, AShapeThatOnlyTheNodesCannotTakeIsBadInput) {
  graph::Builder builder("four wide");
  const auto images = builder.input({"images", graph::ElementType::F32, {{-1, "N"}, {-1, "W"}}});
  builder.node("Add", {images, builder.floats(Numbers{1, 2, 3, 4}, {4})}, {}, "out");
  builder.output({"out", graph::ElementType::F32, {{-1, "N"}, {-1, "W"}}});
  auto session = engine_->load(std::move(builder).finish(), {}, {});
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_EQ((*session)->run(Shape{1, 4}, Numbers(4))->front().values, (Numbers{1, 2, 3, 4}));
  const auto out = (*session)->run(Shape{1, 3}, Numbers(3));
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, ErrorKind::BadInput) << out.error().message;
}

TEST_P(EngineTest, WeightsAreFoundThroughLinks) {
  fs::create_directories(folder_ / "snapshot");
  fs::create_symlink(weights_, folder_ / "snapshot" / "model.pt");
  auto session = engine_->load(model(folder_ / "snapshot" / "model.pt"), {"5eed"}, {});
  ASSERT_TRUE(session) << session.error().message;
  expect_right(**session, {1, 1, 8, 12});
}

TEST_P(EngineTest, WeightsThatChangedUnderARunningServerAreRefused) {
  auto session = load();
  expect_right(*session, {1, 1, 8, 12});
  write_weights(weights_, noise(20, 9));
  expect_right(*session, {1, 1, 8, 12});  // compiled before
  const auto out = session->warm_up(Shape{1, 1, 9, 9});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(out.error().message.find("has changed since it was loaded; restart"), std::string::npos);
}

TEST_P(BlobTest, ABlobSparesTheNextStartTheCompilation) {
  const Settings settings{.cache = folder_ / "cache"};
  {
    auto session = load(settings);
    EXPECT_FALSE(session->loaded_from_cache());
    expect_right(*session, {2, 1, 8, 12});
    EXPECT_FALSE(session->loaded_from_cache());
  }
  auto session = load(settings);
  fs::remove(weights_);  // not even looked at
  expect_right(*session, {2, 1, 8, 12});
  EXPECT_TRUE(session->loaded_from_cache());
  expect_right(*session, {5, 1, 8, 12});
}

TEST_P(BlobTest, ADamagedBlobIsCompiledAfreshAndReplaced) {
  const Settings settings{.cache = folder_ / "cache"};
  ASSERT_TRUE(load(settings)->warm_up(Shape{1, 1, 8, 12}));
  const auto blob = only_blob(settings.cache);
  const auto size = fs::file_size(blob);
  for (const auto position : {std::uintmax_t{3}, size / 2, size - 2}) {
    {
      std::fstream file(blob, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(static_cast<std::streamoff>(position));
      const char damaged = static_cast<char>(file.get() ^ 0x40);
      file.seekp(static_cast<std::streamoff>(position));
      file.put(damaged);
    }
    auto session = load(settings);
    expect_right(*session, {1, 1, 8, 12});
    EXPECT_FALSE(session->loaded_from_cache()) << position;
    auto again = load(settings);
    expect_right(*again, {1, 1, 8, 12});
    EXPECT_TRUE(again->loaded_from_cache()) << position;
  }
  fs::resize_file(blob, size / 2);
  auto session = load(settings);
  expect_right(*session, {1, 1, 8, 12});
  EXPECT_FALSE(session->loaded_from_cache());
}

TEST_P(BlobTest, ABlobOfOtherWeightsIsNotTaken) {
  const Settings settings{.cache = folder_ / "cache"};
  ASSERT_TRUE(load(settings, "5eed")->warm_up(Shape{1, 1, 8, 12}));
  auto session = load(settings, "feed");
  expect_right(*session, {1, 1, 8, 12});
  EXPECT_FALSE(session->loaded_from_cache());
}

TEST_P(EngineTest, WeightsThatNobodyHashedAreNotCached) {
  const Settings settings{.cache = folder_ / "cache"};
  ASSERT_TRUE(load(settings, "")->warm_up(Shape{1, 1, 8, 12}));
  EXPECT_FALSE(fs::exists(settings.cache));
}

TEST_P(EngineTest, ACacheThatCannotBeWrittenIsNoError) {
  auto session = load({.cache = weights_ / "cache"});
  expect_right(*session, {1, 1, 8, 12});
  EXPECT_FALSE(session->loaded_from_cache());
}

TEST_P(EngineTest, PrecisionIsChosenAtLoad) {
  EXPECT_EQ(load()->precision(), engine_->bf16_is_faster() ? Precision::BF16 : Precision::F32);
  EXPECT_TRUE(engine_->has_bf16() || !engine_->bf16_is_faster());
  EXPECT_EQ(load({.precision = Precision::F32})->precision(), Precision::F32);
  const auto int8 = engine_->load(model(weights_), {}, {.precision = Precision::I8});
  ASSERT_FALSE(int8);
  EXPECT_EQ(int8.error().kind, ErrorKind::Unsupported);
  const auto bf16 = engine_->load(model(weights_), {}, {.precision = Precision::BF16});
  ASSERT_EQ(bf16.has_value(), engine_->has_bf16());
  if (bf16) return;
  EXPECT_NE(bf16.error().message.find("use auto or f32"), std::string::npos) << bf16.error().message;
}

TEST_P(EngineTest, SaysWhatItIs) {
  const auto* name = GetParam() == Backend::OpenVino ? "OpenVINO 20" : "ONNX Runtime 1.";
  EXPECT_TRUE(engine_->description().starts_with(name)) << engine_->description();
  EXPECT_NE(engine_->description().find(" thread"), std::string::npos) << engine_->description();
  EXPECT_EQ(engine_->device(), Device::Cpu);
  EXPECT_EQ(engine_->reason(), "asked for");
}

TEST_P(EngineTest, KeepsStandardOutputToItself) {
  testing::internal::CaptureStdout();
  const auto warmed = load()->warm_up(Shape{1, 1, 16, 16});
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_TRUE(warmed);
}

TEST_P(EngineTest, WithoutTheLibraryTheSentenceNamesTheFileLookedFor) {
  const auto nowhere = open_runtime({folder_, folder_ / "elsewhere"});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, ErrorKind::Unavailable);
  const std::string file = (folder_ / "libalcove_engine.so").string();
  EXPECT_NE(nowhere.error().message.find(file + " and "), std::string::npos) << nowhere.error().message;

  std::ofstream(file) << "not a library";
  const auto broken = open_runtime({folder_});
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(broken.error().message.find("cannot be opened"), std::string::npos) << broken.error().message;

  fs::remove(file);
  fs::create_symlink(c_library(), file);
  const auto foreign = open_runtime({folder_});
  ASSERT_FALSE(foreign);
  EXPECT_NE(foreign.error().message.find("another version of Alcove"), std::string::npos)
      << foreign.error().message;
}

class HalfTest : public EngineTest {};

// Computed with f16's rounding on any CPU, so that the graph that a GPU gets is held to f32 everywhere.
TEST_P(HalfTest, GivesNearlyTheSameNumbers) {
  auto session = load({.precision = Precision::F16});
  ASSERT_TRUE(session->warm_up(Shape{2, 1, 8, 12}));
  EXPECT_EQ(session->precision(), Precision::F16);
  const Shape shape{2, 1, 9, 7};
  const auto images = noise(count_of(shape), 3);
  const auto out = session->run(shape, images);
  ASSERT_TRUE(out) << out.error().message;
  const auto wanted = expected(shape, images);
  double most = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_NEAR(out->front().values[i], wanted[i], 5e-3) << i;
    most = std::max(most, std::abs(double{out->front().values[i]} - double{wanted[i]}));
  }
  EXPECT_GT(most, 1e-5) << "so near is only f32";
}

std::string engine_name(const testing::TestParamInfo<Backend>& info) {
  return info.param == Backend::OpenVino ? "OpenVino" : "OnnxRuntime";
}
INSTANTIATE_TEST_SUITE_P(Cpu, EngineTest, testing::Values(Backend::OpenVino, Backend::OnnxRuntime),
                         engine_name);
INSTANTIATE_TEST_SUITE_P(Cpu, HalfTest, testing::Values(Backend::OnnxRuntime), engine_name);
INSTANTIATE_TEST_SUITE_P(Cpu, BlobTest, testing::Values(Backend::OpenVino), engine_name);

TEST(Precision, IsReadAndNamed) {
  for (const auto* text : {"auto", "f32", "bf16", "f16", "int8"})
    EXPECT_EQ(name_of(*parse_precision(text)), text);
  for (const auto* text : {"", "F32", "fp16", "float"})
    EXPECT_EQ(parse_precision(text).error().kind, ErrorKind::BadInput) << text;
}

}  // namespace
}  // namespace alcove::engine
