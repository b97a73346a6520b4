#pragma once
// Tells an ONNX file by the shape of its outermost protobuf message, without libonnx.

#include "base/bytes.h"

namespace alcove::weights {

enum class OnnxShape { Other, Cut, Whole };

// Whole: every field is one that a ModelProto has, of its type, and a version, a graph and an operator set
// are there. Cut: that far, but the last field passes the end or one of the three is missing. A file cut
// exactly between two later fields cannot be told from a whole one.
OnnxShape onnx_shape(Bytes bytes);

}  // namespace alcove::weights
