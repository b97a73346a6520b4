#pragma once
// BERT: a state dict and a configuration to a graph, with an adapter folded in.

#include <string>

#include "graph/builder.h"
#include "models/bert_config.h"
#include "weights/tensor.h"

namespace alcove::models {

struct Adapter {
  AdapterConfig config;
  weights::NamedTensors tensors;  // as the file names them
};

// Which rows of the last layer somebody reads.
enum class Rows { All, First };

struct BertValues {
  graph::Value mask;    // [N, L] f32, 1 for a token and 0 for padding
  graph::Value hidden;  // [N, L, hidden], where only the first rows are wanted perhaps [N, 1, hidden]
};

// input_ids, attention_mask, token_type_ids [N, L] i64, as inputs of the builder's graph. Names may have the
// prefix `bert.` or none, norms may be called gamma and beta; tensors of heads and of the pooler are passed
// over. Unsupported, naming the tensor, when one is missing or of another shape than the configuration says,
// or when the adapter has one that has no place.
Result<BertValues> add_bert(graph::Builder& builder, const weights::NamedTensors& tensors,
                            const BertConfig& config, const Adapter* adapter, Rows rows);

// in · Wᵀ + b, as torch.nn.Linear keeps them: weight [out, in], bias [out].
Result<graph::Value> add_linear(graph::Builder& builder, const std::string& name,
                                const weights::Tensor& weight, const weights::Tensor* bias,
                                const graph::Value& in);

// Unsupported, naming the tensor, when it is not there or has another shape.
Result<const weights::Tensor*> need_tensor(const weights::NamedTensors& tensors, const std::string& name,
                                           const graph::Integers& shape);

}  // namespace alcove::models
