#pragma once
// Tensors of a weight file to initialisers of a graph.

#include <cstdint>
#include <optional>
#include <string>

#include "graph/builder.h"
#include "weights/tensor.h"

namespace alcove::models {

// The tensor as an f32 value of the graph. F32, F16 and BF16 that lie whole and aligned in a mapped file are
// referred to there; everything else is copied as f32. TooLarge as to_floats() says it.
Result<graph::Value> add_tensor(graph::Builder& builder, const std::string& name,
                                const weights::Tensor& tensor);

// "F16" → the graph's type; nothing for types that are not kept as they are.
std::optional<graph::ElementType> kept_type(weights::DType type);

std::string with_commas(std::int64_t count);  // "3,006,038"

}  // namespace alcove::models
