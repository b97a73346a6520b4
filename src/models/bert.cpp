#include "models/bert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <optional>

#include "models/bert_adapter.h"
#include "models/initialisers.h"

namespace alcove::models {
namespace {

using graph::Integers;
using graph::Value;
using weights::NamedTensors;
using weights::Tensor;

constexpr std::string_view kPrefix = "bert.";  // before the names of a model saved with a head
// Added to the scores of padding: exp() of it is 0, in bf16 too.
constexpr float kUnseen = -1e9F;

// Names as they are today: without the prefix, norms' tensors called weight and bias.
NamedTensors modern_names(const NamedTensors& tensors) {
  NamedTensors renamed;
  for (const auto& [name, tensor] : tensors) {
    auto now = name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
    if (now.ends_with(".gamma")) now.replace(now.size() - 5, 5, "weight");
    if (now.ends_with(".beta")) now.replace(now.size() - 4, 4, "bias");
    renamed.emplace(std::move(now), tensor);
  }
  return renamed;
}

class BertGraph {
 public:
  BertGraph(graph::Builder& builder, const NamedTensors& tensors, const BertConfig& config,
            AdapterGraph* adapter)
      : builder_(builder), tensors_(modern_names(tensors)), config_(config), adapter_(adapter) {}

  Result<BertValues> build(Rows rows) {
    const auto ids = input("input_ids"), seen = input("attention_mask"), types = input("token_type_ids");
    mask_ = builder_.node("Cast", {seen}, {{"to", std::int64_t{1}}});  // 1: f32, in ONNX's numbering
    const auto unseen = node("Mul", {node("Sub", {builder_.number(1), mask_}), builder_.number(kUnseen)});
    bias_ = node("Unsqueeze", {unseen, builder_.integers({1, 2})});

    auto hidden = TRY(embed(ids, types));
    for (std::int64_t layer = 0; layer < config_.layers; ++layer)
      hidden = TRY(add_layer(layer, hidden, layer + 1 == config_.layers ? rows : Rows::All));
    return BertValues{mask_, hidden};
  }

 private:
  Value input(const char* name) {
    return builder_.input({name, graph::ElementType::I64, {{.name = "batch"}, {.name = "tokens"}}});
  }
  Value node(std::string_view operation, const std::vector<Value>& inputs,
             const std::vector<graph::Attribute>& attributes = {}) {
    return builder_.node(operation, inputs, attributes);
  }

  Result<Value> tensor(const std::string& name, const Integers& shape) {
    return add_tensor(builder_, name, *TRY(need_tensor(tensors_, name, shape)));
  }

  Result<Value> linear(const std::string& name, std::int64_t in, std::int64_t out, const Value& value) {
    const auto* weight = TRY(need_tensor(tensors_, name + ".weight", {out, in}));
    const auto* bias = TRY(need_tensor(tensors_, name + ".bias", {out}));
    return add_linear(builder_, name, *weight, bias, value);
  }

  Result<Value> norm(const std::string& name, const Value& in) {
    const auto weight = TRY(tensor(name + ".weight", {config_.hidden}));
    const auto bias = TRY(tensor(name + ".bias", {config_.hidden}));
    return node("LayerNormalization", {in, weight, bias}, {{"epsilon", config_.epsilon}});
  }

  // Words, places and types → [N, L, hidden]
  Result<Value> embed(const Value& ids, const Value& types) {
    const std::string name = "embeddings";
    const auto scope = builder_.enter(name);
    const auto words = TRY(tensor(name + ".word_embeddings.weight", {config_.vocabulary, config_.hidden}));
    const auto places =
        TRY(tensor(name + ".position_embeddings.weight", {config_.positions, config_.hidden}));
    const auto kinds = TRY(tensor(name + ".token_type_embeddings.weight", {config_.types, config_.hidden}));
    const auto length = node("Slice", {node("Shape", {ids}), builder_.integers({1}), builder_.integers({2})});
    const auto here = node("Slice", {places, builder_.integers({0}), length, builder_.integers({0})});
    auto sum = node("Add", {node("Gather", {words, ids}), node("Gather", {kinds, types})});
    sum = node("Add", {sum, here});
    return norm(name + ".LayerNorm", sum);
  }

  Result<Value> add_layer(std::int64_t layer, const Value& in, Rows rows) {
    const auto name = fmt::format("encoder.layer.{}", layer);
    const auto scope = builder_.enter(name);
    // Every token is looked at; only the first looks when nothing else is read of the last layer.
    const auto looking =
        rows == Rows::All
            ? in
            : node("Slice", {in, builder_.integers({0}), builder_.integers({1}), builder_.integers({1})});
    const auto mixed = TRY(attention(name + ".attention.self", looking, in));
    const auto attended = TRY(close_block(layer, name + ".attention.output", AdapterGraph::Place::Attention,
                                          config_.hidden, mixed, looking));
    const auto wide =
        activate(builder_, config_.activation,
                 TRY(linear(name + ".intermediate.dense", config_.hidden, config_.intermediate, attended)));
    return close_block(layer, name + ".output", AdapterGraph::Place::Output, config_.intermediate, wide,
                       attended);
  }

  // Projects back, adds what came in, normalises; the adapter sits in between.
  Result<Value> close_block(std::int64_t layer, const std::string& name, AdapterGraph::Place place,
                            std::int64_t width, const Value& wide, const Value& in) {
    const auto out = TRY(linear(name + ".dense", width, config_.hidden, wide));
    const auto scale = TRY(tensor(name + ".LayerNorm.weight", {config_.hidden}));
    const auto shift = TRY(tensor(name + ".LayerNorm.bias", {config_.hidden}));
    const auto norm_of = [&](const Value& value) {
      return node("LayerNormalization", {value, scale, shift}, {{"epsilon", config_.epsilon}});
    };
    if (adapter_ && adapter_->sits_at(layer, place))
      return adapter_->add(layer, place, out, in, mask_, norm_of);
    return norm_of(node("Add", {out, in}));
  }

  // [N, L, hidden] → [N, heads, L, head], or [N, heads, head, L] for keys
  Result<Value> heads(const std::string& name, const Value& in, const Integers& order) {
    const auto flat = TRY(linear(name, config_.hidden, config_.hidden, in));
    const auto shape = builder_.integers({0, 0, config_.heads, config_.hidden / config_.heads});
    return node("Transpose", {node("Reshape", {flat, shape})}, {{"perm", order}});
  }

  Result<Value> attention(const std::string& name, const Value& looking, const Value& seen) {
    const auto queries = TRY(heads(name + ".query", looking, {0, 2, 1, 3}));
    const auto keys = TRY(heads(name + ".key", seen, {0, 2, 3, 1}));
    const auto values = TRY(heads(name + ".value", seen, {0, 2, 1, 3}));
    const auto root = std::sqrt(static_cast<float>(config_.hidden / config_.heads));
    auto scores = node("Div", {node("MatMul", {queries, keys}), builder_.number(root)});
    scores = node("Add", {scores, bias_});
    const auto shares = node("Softmax", {scores}, {{"axis", std::int64_t{-1}}});
    const auto mixed =
        node("Transpose", {node("MatMul", {shares, values})}, {{"perm", Integers{0, 2, 1, 3}}});
    return node("Reshape", {mixed, builder_.integers({0, 0, config_.hidden})});
  }

  graph::Builder& builder_;
  const NamedTensors tensors_;
  const BertConfig& config_;
  AdapterGraph* adapter_;
  Value mask_, bias_;
};

}  // namespace

Result<const Tensor*> need_tensor(const NamedTensors& tensors, const std::string& name,
                                  const Integers& shape) {
  const auto found = tensors.find(name);
  if (found == tensors.end())
    return fail(ErrorKind::Unsupported, fmt::format("the tensor '{}' is missing", name));
  if (found->second.shape != shape)
    return fail(ErrorKind::Unsupported,
                fmt::format("the tensor '{}' has shape [{}] where [{}] is needed", name,
                            fmt::join(found->second.shape, ", "), fmt::join(shape, ", ")));
  return &found->second;
}

Result<Value> add_linear(graph::Builder& builder, const std::string& name, const Tensor& weight,
                         const Tensor* bias, const Value& in) {
  const auto rows = TRY(add_tensor(builder, name + ".weight", weight));
  const auto kernel = builder.node("Transpose", {rows}, {{"perm", Integers{1, 0}}});
  const auto product = builder.node("MatMul", {in, kernel});
  if (!bias) return product;
  return builder.node("Add", {product, TRY(add_tensor(builder, name + ".bias", *bias))});
}

Result<BertValues> add_bert(graph::Builder& builder, const NamedTensors& tensors, const BertConfig& config,
                            const Adapter* adapter, Rows rows) {
  std::optional<AdapterGraph> places;
  if (adapter) places.emplace(builder, *adapter, config);
  BertGraph bert(builder, tensors, config, places ? &*places : nullptr);
  // A gate is a mean over all rows.
  if (adapter && adapter->config.use_gating) rows = Rows::All;
  auto values = TRY(bert.build(rows));
  if (places) TRY(places->expect_all_used());
  return values;
}

}  // namespace alcove::models
