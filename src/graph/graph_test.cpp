// The builder and the reader of ONNX files meet here: what one writes, the other reads.

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/mapped_file.h"
#include "graph/builder.h"

namespace alcove::graph {
namespace {

const Port kImages{"images", ElementType::F32, {{.name = "batch"}, {.size = 1}, {.size = 4}, {.size = 4}}};
const Port kMaps{"maps", ElementType::F32, {{.name = "batch"}, {.size = 2}, {.size = 2}, {.size = 2}}};

Weight kernel_of(ElementType type) {
  const Integers shape{2, 1, 3, 3};
  return {"kernel", type, shape, std::string(18 * size_of(type), '\0')};
}

Model convolution(const Weight& kernel) {
  Builder builder("test");
  const auto images = builder.input(kImages);
  builder.node("Conv", {images, builder.add_weight(kernel)}, {}, "maps");
  builder.output(kMaps);
  builder.metadata("names", "{0: 'a'}");
  return std::move(builder).finish();
}

Result<Model> read_text(const std::string& text) { return Model::read(as_bytes(text)); }

TEST(Builder, WritesAGraphTheCheckerAccepts) {
  const auto model = convolution(kernel_of(ElementType::F32));
  const auto checked = model.check();
  EXPECT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(model.parameter_count(), 18);
  EXPECT_EQ(model.tensor_count(), 1U);
}

TEST(Builder, ComputesInFullPrecisionWhateverIsStored) {
  const auto model = convolution(kernel_of(ElementType::F16));
  EXPECT_TRUE(model.check());
  EXPECT_EQ(model.stored_as(), ElementType::F16);
}

TEST(Builder, NumbersASecondUseOfAName) {
  Builder builder("test");
  const auto x = builder.input(kImages);
  const auto scope = builder.enter("head");
  EXPECT_EQ(builder.node("Relu", {x}).name, "head/Relu");
  EXPECT_EQ(builder.node("Relu", {x}).name, "head/Relu_1");
  EXPECT_EQ(builder.node("Relu", {x}, {}, "head/Relu_2").name, "head/Relu_2");
  EXPECT_EQ(builder.node("Relu", {x}).name, "head/Relu_2_1");
}

TEST(Builder, WritesAConstantOnce) {
  Builder builder("test");
  EXPECT_EQ(builder.integers({1, 2}).name, builder.integers({1, 2}).name);
  EXPECT_NE(builder.integers({1, 2}).name, builder.integers({2, 1}).name);
  EXPECT_NE(builder.integers({1}).name, builder.integer(1).name);
  EXPECT_NE(builder.number(1).name, builder.integer(1).name);
  EXPECT_NE(builder.number(1).name, builder.number(1.0000001F).name);
}

TEST(Model, ReadsWhatTheBuilderWrote) {
  const auto model = read_text(*convolution(kernel_of(ElementType::BF16)).write_inlined());
  ASSERT_TRUE(model) << model.error().message;
  ASSERT_EQ(model->inputs().size(), 1U);
  EXPECT_EQ(model->inputs()[0].name, "images");
  EXPECT_EQ(model->inputs()[0].shape[0].name, "batch");
  EXPECT_EQ(model->inputs()[0].shape[0].size, -1);
  EXPECT_EQ(model->inputs()[0].shape[3].size, 4);
  EXPECT_EQ(model->outputs().at(0).name, "maps");
  EXPECT_EQ(model->metadata().at("names"), "{0: 'a'}");
  EXPECT_EQ(model->parameter_count(), 18);
  EXPECT_EQ(model->stored_as(), ElementType::BF16);
  EXPECT_TRUE(model->check());
}

class Mapped : public testing::Test {
 protected:
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / ("alcove_graph_weights_" + std::to_string(::getpid()));
  std::shared_ptr<const MappedFile> file;
  void SetUp() override {
    std::string bytes(64, 'x');
    for (int i = 0; i < 18 * 4; ++i) bytes.push_back(static_cast<char>(i));
    std::ofstream(path, std::ios::binary) << bytes;
    file = std::make_shared<const MappedFile>(*MappedFile::open(path));
  }
  void TearDown() override { std::filesystem::remove(path); }

  Weight kernel() const {
    return {"kernel",
            ElementType::F32,
            {2, 1, 3, 3},
            ExternalData{path, 64, 72, file->bytes().data() + 64, file}};
  }
};

TEST_F(Mapped, WeightsAreReferredTo) {
  const auto model = convolution(kernel());
  const auto written = model.write_referencing();
  EXPECT_LT(written.size(), 400U);
  EXPECT_EQ(written.find("\x01\x02\x03\x04\x05"), std::string::npos);
  ASSERT_EQ(model.external_files().size(), 1U);
  EXPECT_EQ(model.external_files()[0].path, path);
  EXPECT_EQ(model.external_files()[0].location, path.filename());
  EXPECT_NE(written.find(path.filename()), std::string::npos);
  EXPECT_NE(model.write_referencing("/").find(std::filesystem::canonical(path).string().substr(1)),
            std::string::npos);
}

TEST_F(Mapped, WeightsAreCopiedOnlyWhenAskedFor) {
  const auto model = convolution(kernel());
  const auto written = model.write_inlined();
  ASSERT_TRUE(written);
  EXPECT_NE(written->find(std::string("\x01\x02\x03\x04\x05")), std::string::npos);
  EXPECT_TRUE(model.check());
  const auto again = read_text(*written);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->external_files().empty());
}

TEST_F(Mapped, AFileFromOutsideMayNotNameAnother) {
  const auto refused = read_text(convolution(kernel()).write_referencing());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Unsupported);
  EXPECT_NE(refused.error().message.find("'kernel'"), std::string::npos);
}

TEST(Model, RefusesWhatIsNoModel) {
  for (const auto* text : {"", "hello", "<html></html>", "version https://git-lfs.github.com/spec/v1\n"}) {
    const auto refused = read_text(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().kind, ErrorKind::Unreadable);
  }
}

TEST(Model, RefusesAFileCutShort) {
  const auto whole = *convolution(kernel_of(ElementType::F32)).write_inlined();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto read = read_text(whole.substr(0, length));
    // A cut between two fields leaves a shorter file that is valid by itself; the parts left must then be
    // sound.
    if (!read) continue;
    EXPECT_LE(read->metadata().size(), 1U);
  }
  EXPECT_FALSE(read_text(whole.substr(0, whole.size() / 2)));
}

TEST(Model, SurvivesFlippedBytes) {
  const auto whole = *convolution(kernel_of(ElementType::F32)).write_inlined();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    const auto read = read_text(damaged);
    if (!read) continue;
    (void)read->check();
    EXPECT_LE(read->inputs().size(), 1U);
  }
}

TEST(Model, RefusesATensorThatLiesAboutItsSize) {
  auto kernel = kernel_of(ElementType::F32);
  auto text = *convolution(kernel).write_inlined();
  const std::string dims{"\x08\x02\x08\x01\x08\x03\x08\x03"};
  const auto at = text.find(dims);
  ASSERT_NE(at, std::string::npos);
  text[at + 1] = 3;
  const auto refused = read_text(text);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("27 elements and holds 72 bytes"), std::string::npos)
      << refused.error().message;
}

TEST(Model, RefusesAnOpsetItDoesNotKnow) {
  auto text = *convolution(kernel_of(ElementType::F32)).write_inlined();
  const std::string opset{"\x42\x02\x10\x11"};  // opset_import { version: 17 }
  const auto at = text.rfind(opset);
  ASSERT_NE(at, std::string::npos);
  text[at + 3] = 99;
  const auto refused = read_text(text);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Unsupported);
  EXPECT_NE(refused.error().message.find("opset 99"), std::string::npos);
}

TEST(Model, CheckSaysWhenTheLibraryIsTooOld) {
  auto text = *convolution(kernel_of(ElementType::F32)).write_inlined();
  text[text.rfind("\x42\x02\x10\x11") + 3] = 23;
  const auto model = read_text(text);
  ASSERT_TRUE(model) << model.error().message;
  const auto checked = model->check();  // passes where libonnx is new enough
  if (!checked) {
    EXPECT_EQ(checked.error().kind, ErrorKind::Unsupported);
    EXPECT_NE(checked.error().message.find("opset 23"), std::string::npos);
  }
}

TEST(Model, CheckNamesTheNodeThatIsWrong) {
  Builder builder("test");
  const auto images = builder.input(kImages);
  builder.node("Convolve", {images}, {}, "maps");
  builder.output(kMaps);
  const auto checked = std::move(builder).finish().check();
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message.find("Convolve"), std::string::npos);
}

TEST(Model, CheckComparesShapes) {
  auto wrong = kMaps;
  wrong.shape[1].size = 3;
  Builder builder("test");
  const auto images = builder.input(kImages);
  builder.node("Conv", {images, builder.add_weight(kernel_of(ElementType::F32))}, {}, "maps");
  builder.output(wrong);
  EXPECT_FALSE(std::move(builder).finish().check());
}

}  // namespace
}  // namespace alcove::graph
