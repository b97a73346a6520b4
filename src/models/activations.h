#pragma once
// Activation functions by the names that configurations use, as nodes.

#include <string_view>

#include "graph/builder.h"

namespace alcove::models {

enum class Activation { Gelu, GeluTanh, Relu, Silu, Tanh, LeakyRelu, Identity };

// "gelu", "gelu_new", "relu", "swish", … as transformers and adapters spell them, in any case. Unsupported,
// naming it, for others.
Result<Activation> parse_activation(std::string_view name);

graph::Value activate(graph::Builder& builder, Activation activation, const graph::Value& in);

}  // namespace alcove::models
