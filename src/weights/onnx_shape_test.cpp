#include "weights/onnx_shape.h"

#include <gtest/gtest.h>

namespace alcove::weights {
namespace {

OnnxShape shape(const std::string& bytes) { return onnx_shape(as_bytes(bytes)); }

// Version 8, producer "us", a graph of four bytes, an operator set of three.
const std::string kModel = "\x08\x08\x12\x02us\x3a\x04grap\x42\x03ops";

TEST(OnnxShape, KnowsAModel) {
  EXPECT_EQ(shape(kModel), OnnxShape::Whole);
  EXPECT_EQ(shape(kModel + "\x72\x01m"), OnnxShape::Whole);
}

TEST(OnnxShape, TellsACutModelAtEveryByte) {
  for (std::size_t length = 1; length < kModel.size(); ++length)
    EXPECT_EQ(shape(kModel.substr(0, length)), length == 1 ? OnnxShape::Other : OnnxShape::Cut) << length;
}

TEST(OnnxShape, KnowsNothingElse) {
  EXPECT_EQ(shape(""), OnnxShape::Other);
  EXPECT_EQ(shape("hello"), OnnxShape::Other);
  EXPECT_EQ(shape(std::string(64, '\0')), OnnxShape::Other);
  EXPECT_EQ(shape(std::string(64, '\xff')), OnnxShape::Other);
  EXPECT_EQ(shape(kModel + "\x4a\x01x"), OnnxShape::Other);               // a field 9
  EXPECT_EQ(shape("\x08\x7f\x3a\x04grap\x42\x03ops"), OnnxShape::Other);  // version 127
  EXPECT_EQ(shape("\x0a\x01x"), OnnxShape::Other);                        // a version that is text
}

}  // namespace
}  // namespace alcove::weights
