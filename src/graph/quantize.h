#pragma once
// A network's convolutions in eight bits. Which values to look at, the network that shows them, and the
// network with QuantizeLinear and DequantizeLinear around each convolution: what passes between is written
// into the graph, so that any engine computes the same and nothing is decided at run time.

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace alcove::graph {

// Of a quantized model's metadata: the sha256 of the file it was made from, and the CPU it was checked on.
inline constexpr const char* kQuantizedFrom = "alcove.quantized_from";
inline constexpr const char* kCheckedOn = "alcove.checked_on";

// What a value was seen to hold; widened to hold zero when it is used.
struct Range {
  float least = 0;
  float most = 0;
};

// Names of the values that enter convolutions with trained kernels, in the graph's order. A convolution
// behind which no other one follows is left out: its numbers are boxes and scores, and eight bits would show
// in them.
std::vector<std::string> values_to_quantize(const Model& model);

// The same network with these values for outputs. TooLarge as Model::write_inlined().
Result<Model> showing(const Model& model, const std::vector<std::string>& values);

// Kernels become signed bytes, a scale for each output channel; entering values unsigned bytes with one scale
// over their range. A value without a range is left as it is. Everything else stays in f32 and inside the
// file; `metadata` is added to the model's own. TooLarge as Model::write_inlined().
Result<Model> quantized(const Model& model, const std::map<std::string, Range>& ranges,
                        const std::map<std::string, std::string>& metadata);

}  // namespace alcove::graph
