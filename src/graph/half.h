#pragma once
// A network that computes in half precision where that is fast, between inputs and outputs in f32.

#include <string>

#include "base/result.h"

namespace alcove::graph {

// What Model::write_referencing() gave, and the same in half. Convolutions, products, recurrences and what
// comes before one are computed in f16; what only comes after stays in f32, because a box in pixels needs
// more than f16's eleven bits. Trained tensors get casts, which engines fold at load; constants past f16's
// range become its largest number, so that a mask of -1e9 stays a mask. Unsupported for a graph with graphs
// inside, or without anything to gain.
Result<std::string> in_half(const std::string& onnx);

}  // namespace alcove::graph
