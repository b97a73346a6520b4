#include "graph/quantize.h"

#include <gtest/gtest.h>

#include "graph/builder.h"
#include "graph/testing.h"

namespace alcove::graph {
namespace {

const Port kPicture{"picture", ElementType::F32, {{.size = 1}, {.size = 1}, {.size = 4}, {.size = 4}}};
const Port kScores{"scores", ElementType::F32, {{.size = 1}, {.size = 2}, {.size = 2}, {.size = 2}}};

// A convolution, an activation, and a last convolution.
Model network(ElementType type = ElementType::F32) {
  Builder builder("test");
  const auto picture = builder.input(kPicture);
  const auto first = builder.node("Conv", {picture, builder.add_weight(kernel("first", {2, 1, 3, 3}, type))});
  const auto active = builder.node("Relu", {first}, {}, "active");
  builder.node("Conv", {active, builder.add_weight(kernel("last", {2, 2, 1, 1}, type))}, {}, "scores");
  builder.output(kScores);
  builder.metadata("names", "{0: 'a'}");
  return std::move(builder).finish();
}

TEST(ValuesToQuantize, AreThoseBeforeConvolutionsThatOthersFollow) {
  EXPECT_EQ(values_to_quantize(network()), std::vector<std::string>{"picture"});
}

TEST(Showing, GivesTheValuesForOutputs) {
  const auto model = showing(network(), {"active"});
  ASSERT_TRUE(model) << model.error().message;
  ASSERT_EQ(model->outputs().size(), 1U);
  EXPECT_EQ(model->outputs()[0].name, "active");
}

TEST(Quantized, IsSoundAndKeepsItsPorts) {
  for (const auto type : {ElementType::F32, ElementType::F16, ElementType::BF16}) {
    const auto model = quantized(network(type), {{"picture", {0, 1}}}, {{kQuantizedFrom, "abc"}});
    ASSERT_TRUE(model) << model.error().message;
    const auto checked = model->check();
    EXPECT_TRUE(checked) << checked.error().message;
    EXPECT_EQ(model->outputs()[0].name, "scores");
    EXPECT_EQ(model->metadata().at("names"), "{0: 'a'}");
    EXPECT_EQ(model->metadata().at(kQuantizedFrom), "abc");
  }
}

TEST(Quantized, HoldsAKernelAsBytesAndDropsItsNumbers) {
  const auto before = network(), after = *quantized(before, {{"picture", {0, 1}}}, {});
  const auto text = *after.write_inlined();
  EXPECT_EQ(text.find("first_f32"), std::string::npos);
  EXPECT_NE(text.find("first.bytes"), std::string::npos);
  EXPECT_EQ(text.find("last.bytes"), std::string::npos) << "the last convolution gives the scores";
  EXPECT_NE(text.find("QuantizeLinear"), std::string::npos);
}

TEST(Quantized, LeavesWhatWasNeverSeen) {
  const auto model = quantized(network(), {}, {});
  ASSERT_TRUE(model);
  EXPECT_EQ(model->write_inlined()->find("QuantizeLinear"), std::string::npos);
}

}  // namespace
}  // namespace alcove::graph
