#include "graph/half.h"

#include <gtest/gtest.h>

#include "graph/builder.h"
#include "graph/testing.h"

namespace alcove::graph {
namespace {

const Port kPicture{"picture", ElementType::F32, {{-1, "N"}, {1, ""}, {-1, "H"}, {-1, "W"}}};

// Two convolutions with a mask between them, one that is resized, and a scale behind.
Model network(ElementType type = ElementType::F32) {
  Builder builder("test");
  const auto picture = builder.input(kPicture);
  const auto first = builder.node("Conv", {picture, builder.add_weight(kernel("first", {2, 1, 3, 3}, type))});
  const auto masked = builder.node("Add", {first, builder.number(-1e9F)});
  const auto larger =
      builder.node("Resize", {masked, {}, builder.floats(std::vector<float>{1, 1, 2, 2}, {4})});
  const auto last = builder.node("Conv", {larger, builder.add_weight(kernel("last", {2, 2, 1, 1}, type))});
  builder.node("Mul", {last, builder.number(640)}, {}, "scores");
  builder.output({"scores", ElementType::F32, {{-1, "N"}, {2, ""}, {-1, "H"}, {-1, "W"}}});
  builder.metadata("names", "{0: 'a'}");
  return std::move(builder).finish();
}

TEST(InHalf, IsSoundAndKeepsItsPorts) {
  for (const auto type : {ElementType::F32, ElementType::F16, ElementType::BF16}) {
    const auto halved = in_half(network(type).write_inlined().value());
    ASSERT_TRUE(halved) << halved.error().message;
    const auto model = Model::read(as_bytes(*halved));
    ASSERT_TRUE(model) << model.error().message;
    const auto checked = model->check();
    EXPECT_TRUE(checked) << checked.error().message;
    EXPECT_EQ(model->inputs()[0].type, ElementType::F32);
    EXPECT_EQ(model->outputs()[0].type, ElementType::F32);
    EXPECT_EQ(model->outputs()[0].name, "scores");
    EXPECT_EQ(model->metadata().at("names"), "{0: 'a'}");
    EXPECT_NE(halved->find("picture.half"), std::string::npos);
    EXPECT_EQ(halved->find("scores.half"), std::string::npos)
        << "what is behind the last convolution stays in f32";
  }
}

TEST(InHalf, AGraphWithNothingToGainIsRefused) {
  Builder builder("test");
  builder.node("Relu", {builder.input(kPicture)}, {}, "out");
  builder.output({"out", ElementType::F32, kPicture.shape});
  EXPECT_EQ(in_half(std::move(builder).finish().write_inlined().value()).error().kind,
            ErrorKind::Unsupported);
  EXPECT_EQ(in_half("not a model").error().kind, ErrorKind::Unreadable);
}

}  // namespace
}  // namespace alcove::graph
