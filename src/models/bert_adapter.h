#pragma once
// A bottleneck adapter at one place of a layer.

#include <functional>
#include <set>
#include <string>

#include "models/bert.h"

namespace alcove::models {

// Makes the nodes of one adapter, place by place, and knows which of its tensors were used.
class AdapterGraph {
 public:
  AdapterGraph(graph::Builder& builder, const Adapter& adapter, const BertConfig& bert)
      : builder_(builder), adapter_(adapter), bert_(bert) {}

  enum class Place { Attention, Output };
  bool sits_at(std::int64_t layer, Place place) const;

  // The block's output and what it got, [N, L, hidden], to what leaves the layer's norm. `original` is that
  // norm.
  using Norm = std::function<graph::Value(const graph::Value&)>;
  Result<graph::Value> add(std::int64_t layer, Place place, const graph::Value& out, const graph::Value& in,
                           const graph::Value& mask, const Norm& original);

  // Unsupported, naming the first tensor that nothing has used.
  Result<void> expect_all_used() const;

 private:
  struct Parts;  // the tensors of one place
  Result<Parts> parts_at(std::int64_t layer, Place place);
  Result<graph::Value> norm(const Parts& parts, const std::string& part, const graph::Value& in);
  Result<graph::Value> linear(const Parts& parts, const std::string& part, std::int64_t in, std::int64_t out,
                              const graph::Value& value);
  Result<graph::Value> bottleneck(const Parts& parts, const graph::Value& in, const graph::Value& mask);
  graph::Value plus(const graph::Value& a, const graph::Value& b) { return builder_.node("Add", {a, b}); }

  graph::Builder& builder_;
  const Adapter& adapter_;
  const BertConfig& bert_;
  std::set<std::string> used_;
};

}  // namespace alcove::models
