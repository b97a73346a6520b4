#pragma once
// The layers of Ultralytics' networks, each from its pickled module to nodes of a graph. Sizes come from the
// modules; channel counts are checked as they meet, so that a damaged tree is named where it is damaged.

#include <span>

#include "graph/builder.h"
#include "models/module_tree.h"

namespace alcove::models {

struct Feature {  // [N, channels, H, W]
  graph::Value value;
  std::int64_t channels = 0;
};

class Layers {
 public:
  explicit Layers(graph::Builder& builder) : builder_(builder) {}

  graph::Builder& builder() { return builder_; }
  std::int64_t parameters() const { return parameters_; }  // trained numbers met so far

  // A layer of one input, or Concat. Unsupported, naming it, for a class that is not in the table.
  Result<Feature> apply(const Module& module, std::span<const Feature> inputs);
  Result<Feature> apply(const Module& module, const Feature& input) { return apply(module, {&input, 1}); }

  // A tensor of the module; `shape` is what it must be, -1 for any size.
  Result<graph::Value> weight(const Module& module, std::string_view name,
                              std::span<const std::int64_t> shape);

 private:
  struct Row;
  using Part = Result<Feature> (Layers::*)(const Module&, const Feature&);
  static const Row kRows[];

  Result<Feature> conv(const Module& module, const Feature& in);
  Result<Feature> conv2d(const Module& module, const Feature& in);
  Result<Feature> batch_norm(const Module& module, const Feature& in);
  Result<Feature> silu(const Module& module, const Feature& in);
  Result<Feature> relu(const Module& module, const Feature& in);
  Result<Feature> leaky_relu(const Module& module, const Feature& in);
  Result<Feature> identity(const Module& module, const Feature& in);
  Result<Feature> sequential(const Module& module, const Feature& in);
  Result<Feature> bottleneck(const Module& module, const Feature& in);
  Result<Feature> c2f(const Module& module, const Feature& in);
  Result<Feature> c3(const Module& module, const Feature& in);
  Result<Feature> sppf(const Module& module, const Feature& in);
  Result<Feature> max_pool(const Module& module, const Feature& in);
  Result<Feature> upsample(const Module& module, const Feature& in);
  Result<Feature> c2psa(const Module& module, const Feature& in);
  Result<Feature> psa_block(const Module& module, const Feature& in);
  Result<Feature> attention(const Module& module, const Feature& in);

  Result<Feature> part(const Module& module, std::string_view name, const Feature& in);  // a child, applied
  Result<Feature> add(const Module& module, const Feature& left, const Feature& right);
  Result<std::vector<Feature>> halves(const Module& module, const Feature& in);
  Feature concatenate(std::span<const Feature> inputs);
  Result<Feature> with_shortcut(const Module& module, const Feature& in, const Feature& out);

  graph::Builder& builder_;
  std::int64_t parameters_ = 0;
  int depth_ = 0;    // modules inside each other
  int applied_ = 0;  // modules in all: a pickle may share one part a thousand times over
};

}  // namespace alcove::models
