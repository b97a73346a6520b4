#include "models/text_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "models/initialisers.h"
#include "models/weight_folder.h"

namespace alcove::models {
namespace {

namespace fs = std::filesystem;
using graph::Value;

struct PoolingName {
  std::string_view text;
  Pooling pooling;
  const char* flag;  // in sentence-transformers' 1_Pooling/config.json
};
constexpr std::array kPoolings{PoolingName{"cls", Pooling::Cls, "pooling_mode_cls_token"},
                               PoolingName{"mean", Pooling::Mean, "pooling_mode_mean_tokens"},
                               PoolingName{"max", Pooling::Max, "pooling_mode_max_tokens"}};
constexpr std::size_t kMaxModules = 16;
constexpr float kSmallestLength = 1e-12F;  // torch.nn.functional.normalize
constexpr float kLowest = -1e9F;           // what sentence-transformers puts in place of padding for max

Result<Pooling> read_pooling(const fs::path& path) {
  const auto config = TRY(read_json_file(path));
  // From version 5 on, the mode is a word.
  if (const auto& mode = member(config, "pooling_mode"); mode.is_string()) {
    auto pooling = parse_pooling(mode.get<std::string>());
    if (!pooling) return fail_in(path.string(), std::move(pooling).error());
    return pooling;
  }
  std::vector<std::string> on;
  for (const auto& [name, value] : config.items())
    if (name.starts_with("pooling_mode_") && value == true) on.push_back(name);
  for (const auto& known : kPoolings)
    if (on.size() == 1 && on[0] == known.flag) return known.pooling;
  return fail(ErrorKind::Unsupported,
              fmt::format("{}: exactly one of the modes cls, mean and max should be on", path.string()));
}

Result<Dense> read_dense(const fs::path& folder, std::size_t place) {
  const auto config = TRY(read_json_file(folder / "config.json"));
  const auto size = [&](const char* name) -> Result<std::int64_t> {
    const auto& value = member(config, name);
    if (value.is_number_integer() && value >= 1 && value <= 1 << 20) return value.get<std::int64_t>();
    return fail(ErrorKind::Unreadable,
                fmt::format("{}: {} is no size", (folder / "config.json").string(), name));
  };
  Dense dense{.name = fmt::format("dense.{}", place),
              .in = TRY(size("in_features")),
              .out = TRY(size("out_features"))};
  dense.bias = member(config, "bias") != false;
  // "torch.nn.modules.activation.Tanh", "torch.nn.modules.linear.Identity"
  auto function = member(config, "activation_function").is_string()
                      ? config["activation_function"].get<std::string>()
                      : std::string("Tanh");
  function.erase(0, function.rfind('.') + 1);
  dense.activation = function == "Identity" ? Activation::Identity : TRY(parse_activation(function));
  dense.weights = TRY(read_weights(folder, {"model.safetensors", "pytorch_model.bin"}));
  return dense;
}

// modules.json of sentence-transformers: what follows the transformer, in order.
Result<TextHead> read_head(const fs::path& folder) {
  TextHead head;
  if (!fs::exists(folder / "modules.json")) return head;
  head.normalised = false;
  const auto modules = TRY(read_json_file(folder / "modules.json"));
  if (!modules.is_array() || modules.size() > kMaxModules)
    return fail(ErrorKind::Unreadable,
                fmt::format("{} is no list of modules", (folder / "modules.json").string()));
  for (const auto& module : modules) {
    auto type = to_text(member(module, "type"));
    const auto path =
        member(module, "path").is_string() ? member(module, "path").get<std::string>() : std::string();
    if (path.find("..") != std::string::npos || path.starts_with('/'))
      return fail(ErrorKind::Unreadable, fmt::format("modules.json names the folder '{}'", path));
    if (type.ends_with(".Transformer\"")) {
      if (!path.empty() && path != ".")
        return fail(ErrorKind::Unsupported,
                    fmt::format("the transformer lies in the folder '{}'; give that one", path));
    } else if (type.ends_with(".Pooling\"")) {
      head.pooling = TRY(read_pooling(folder / path / "config.json"));
    } else if (type.ends_with(".Dense\"")) {
      head.dense.push_back(TRY(read_dense(folder / path, head.dense.size())));
    } else if (type.ends_with(".Normalize\"")) {
      head.normalised = true;
    } else {
      return fail(ErrorKind::Unsupported,
                  fmt::format("modules.json has a module {}; transformers, pooling, dense layers "
                              "and normalisation are built",
                              type));
    }
    if (head.normalised && &module != &modules.back())
      return fail(ErrorKind::Unsupported, "modules.json normalises before its last module");
  }
  const auto limits = folder / "sentence_bert_config.json";
  if (!fs::exists(limits)) return head;
  const auto config = TRY(read_json_file(limits));
  if (const auto& most = member(config, "max_seq_length");
      most.is_number_integer() && most >= 2 && most < 1 << 20)
    head.max_tokens = most.get<std::size_t>();
  if (member(config, "do_lower_case") == true)
    return fail(ErrorKind::Unsupported,
                fmt::format("{}: do_lower_case belongs into tokenizer_config.json", limits.string()));
  return head;
}

// [N, L, hidden] → [N, hidden]
Value pool(graph::Builder& builder, Pooling pooling, const BertValues& bert) {
  const auto scope = builder.enter("pooling");
  if (pooling == Pooling::Cls)
    return builder.node("Gather", {bert.hidden, builder.integer(0)}, {{"axis", std::int64_t{1}}});
  const auto seen = builder.node("Unsqueeze", {bert.mask, builder.integers({2})});
  const auto sum = [&](const Value& value) {
    return builder.node("ReduceSum", {value, builder.integers({1})}, {{"keepdims", std::int64_t{0}}});
  };
  if (pooling == Pooling::Mean)
    return builder.node("Div", {sum(builder.node("Mul", {bert.hidden, seen})), sum(seen)});
  const auto padding =
      builder.node("Mul", {builder.node("Sub", {builder.number(1), seen}), builder.number(kLowest)});
  const auto kept = builder.node("Add", {builder.node("Mul", {bert.hidden, seen}), padding});
  return builder.node("ReduceMax", {kept}, {{"axes", graph::Integers{1}}, {"keepdims", std::int64_t{0}}});
}

Result<Value> add_dense(graph::Builder& builder, const Dense& dense, const Value& in) {
  const auto& tensors = dense.weights.tensors;
  const auto* weight = TRY(need_tensor(tensors, "linear.weight", {dense.out, dense.in}));
  const auto* bias = dense.bias ? TRY(need_tensor(tensors, "linear.bias", {dense.out})) : nullptr;
  return activate(builder, dense.activation, TRY(add_linear(builder, dense.name, *weight, bias, in)));
}

// The last step has the output's name, whatever it is.
void finish(graph::Builder& builder, const Value& vector, const TextHead& head, std::int64_t width) {
  constexpr const char* kOutput = "sentence_embedding";
  if (head.normalised) {
    const auto length =
        builder.node("ReduceL2", {vector}, {{"axes", graph::Integers{-1}}, {"keepdims", std::int64_t{1}}});
    builder.node("Div", {vector, builder.node("Max", {length, builder.number(kSmallestLength)})}, {},
                 kOutput);
  } else {
    builder.node("Identity", {vector}, {}, kOutput);
  }
  builder.output({kOutput, graph::ElementType::F32, {{.name = "batch"}, {.size = width, .name = {}}}});
}

}  // namespace

Result<Pooling> parse_pooling(std::string_view name) {
  for (const auto& known : kPoolings)
    if (known.text == name) return known.pooling;
  return fail(ErrorKind::BadInput, fmt::format("\"{}\" is no pooling; use cls, mean or max", name));
}

std::string_view name_of(Pooling pooling) {
  return std::ranges::find(kPoolings, pooling, &PoolingName::pooling)->text;
}

Result<TextFolder> open_text_folder(const fs::path& path, std::optional<Pooling> pooling) {
  TextFolder folder{.path = path};
  const auto said = TRY(read_json_file(path / "config.json"));
  auto config = read_bert_config(said);
  if (!config) return fail_in((path / "config.json").string(), std::move(config).error());
  folder.config = *config;
  folder.head = TRY(read_head(path));
  if (pooling) folder.head.pooling = *pooling;
  folder.weights = TRY(read_weights(path, {"model.safetensors", "pytorch_model.bin"}));
  folder.max_tokens = static_cast<std::size_t>(config->positions);
  if (folder.head.max_tokens > 0) folder.max_tokens = std::min(folder.max_tokens, folder.head.max_tokens);

  auto hashed = fmt::format("{} {} {} {}", folder.weights.sha256, to_text(said), name_of(folder.head.pooling),
                            folder.head.normalised);
  for (const auto& dense : folder.head.dense)
    hashed += fmt::format(" {} {}", dense.weights.sha256, static_cast<int>(dense.activation));
  folder.sha256 = sha256_hex(as_bytes(hashed));
  return folder;
}

Result<TextAdapter> open_text_adapter(const fs::path& path) {
  const auto file = path / "adapter_config.json";
  const auto said = TRY(read_json_file(file));
  auto config = read_adapter_config(said);
  if (!config) return fail_in(file.string(), std::move(config).error());
  auto found = TRY(read_weights(path, {"adapter.safetensors", "model.safetensors", "pytorch_adapter.bin"}));
  return TextAdapter{.path = path,
                     .adapter = {*std::move(config), std::move(found.tensors)},
                     .sha256 = sha256_hex(as_bytes(found.sha256 + to_text(said)))};
}

Result<graph::Model> build_text_model(const TextFolder& folder, const TextAdapter* adapter,
                                      TextOutputs outputs) {
  const auto& head = folder.head;
  graph::Builder builder("bert");
  const bool with_rows = outputs == TextOutputs::VectorAndRows;
  const auto rows = head.pooling == Pooling::Cls && !with_rows ? Rows::First : Rows::All;
  auto bert =
      add_bert(builder, folder.weights.tensors, folder.config, adapter ? &adapter->adapter : nullptr, rows);
  if (!bert) return fail_in((adapter ? adapter->path : folder.path).string(), std::move(bert).error());
  if (with_rows) {
    builder.node("Identity", {bert->hidden}, {}, "last_hidden_state");
    builder.output({"last_hidden_state",
                    graph::ElementType::F32,
                    {{.name = "batch"}, {.name = "tokens"}, {.size = folder.config.hidden, .name = {}}}});
  }
  auto vector = pool(builder, head.pooling, *bert);
  for (const auto& dense : head.dense) vector = TRY(add_dense(builder, dense, vector));
  finish(builder, vector, head, folder.width());
  return std::move(builder).finish();
}

std::string describe(const TextFolder& folder, const TextAdapter* adapter, const graph::Model& graph) {
  const auto& head = folder.head;
  return fmt::format("BERT, {} layers, {} wide, {}{}{}{}, {} parameters, stored as {}", folder.config.layers,
                     folder.width(), name_of(head.pooling), head.dense.empty() ? "" : ", dense",
                     head.normalised ? ", normalised" : "",
                     adapter ? ", adapter " + adapter->adapter.config.name : std::string(),
                     with_commas(graph.parameter_count()), graph::name_of(graph.stored_as()));
}

}  // namespace alcove::models
