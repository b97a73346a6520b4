#pragma once
// What a BERT's config.json and an adapter's adapter_config.json say.

#include <cstdint>
#include <set>
#include <string>

#include "base/json.h"
#include "models/activations.h"

namespace alcove::models {

struct BertConfig {
  std::int64_t hidden = 0, layers = 0, heads = 0, intermediate = 0;
  std::int64_t positions = 0, types = 0, vocabulary = 0;
  Activation activation = Activation::Gelu;
  float epsilon = 1e-12F;  // of layer norms
};

// Unsupported, naming what, for another architecture or one of BERT's variants that is not built (decoders,
// relative positions); Unreadable when a size is missing or out of range.
Result<BertConfig> read_bert_config(const Json& config);

// Where the way around a bottleneck starts.
enum class Bypass { BeforeNorm, AfterAdd, AfterNorm };

// A bottleneck adapter: down, activation, up, with norms and ways around it as the switches say. The names
// are those of the configuration.
struct AdapterConfig {
  std::string name;
  bool mh_adapter = false, output_adapter = true;  // behind attention; behind the feed-forward part
  bool is_parallel = false;
  bool original_ln_before = false, original_ln_after = true;
  bool ln_before = false, ln_after = false;
  bool adapter_residual_before_ln = false;
  bool use_gating = false;
  Bypass residual_before_ln = Bypass::BeforeNorm;
  Activation non_linearity = Activation::Relu;
  float scaling = 1;
  bool learned_scaling = false;      // the factor is a tensor, of one number or one for each channel
  std::set<std::int64_t> leave_out;  // layers without
};

// Unsupported for what is no bottleneck adapter (LoRA, prefix tuning, Compacter's, invertible ones).
Result<AdapterConfig> read_adapter_config(const Json& config);

}  // namespace alcove::models
