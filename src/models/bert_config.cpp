#include "models/bert_config.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace alcove::models {
namespace {

std::string word_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : to_text(value);
}

Result<std::int64_t> size(const Json& config, const char* name, std::int64_t most) {
  const auto& value = member(config, name);
  if (value.is_number_integer() && value >= 1 && value <= most) return value.get<std::int64_t>();
  return fail(ErrorKind::Unreadable,
              fmt::format("{} should be a number from 1 to {}, and is {}", name, most, to_text(value)));
}

// A switch that has to be off, or absent.
Result<void> expect_off(const Json& config, const char* name, std::string_view what) {
  const auto& value = member(config, name);
  if (value.is_null() || value == false) return {};
  return fail(ErrorKind::Unsupported, fmt::format("{} is {}: {}", name, word_of(value), what));
}

Result<bool> read_switch(const Json& config, const char* name, bool otherwise) {
  const auto& value = member(config, name);
  if (value.is_null()) return otherwise;
  if (value.is_boolean()) return value.get<bool>();
  return fail(ErrorKind::Unreadable,
              fmt::format("{} should be true or false, and is {}", name, to_text(value)));
}

Result<Bypass> read_bypass(const Json& value) {
  if (value.is_null() || value == true) return Bypass::BeforeNorm;
  if (value == false) return Bypass::AfterNorm;
  if (value == "post_add") return Bypass::AfterAdd;
  return fail(ErrorKind::Unsupported,
              fmt::format("residual_before_ln is {}, not true, false or \"post_add\"", to_text(value)));
}

}  // namespace

Result<BertConfig> read_bert_config(const Json& config) {
  if (const auto& type = member(config, "model_type"); type != "bert" && !type.is_null())
    return fail(ErrorKind::Unsupported,
                fmt::format("the model is of type {}; models of type bert are read", word_of(type)));
  TRY(expect_off(config, "is_decoder", "only encoders make vectors of texts"));
  if (const auto& kind = member(config, "position_embedding_type"); kind != "absolute" && !kind.is_null())
    return fail(ErrorKind::Unsupported,
                fmt::format("its position_embedding_type is {}; absolute ones are read", word_of(kind)));
  BertConfig read{.hidden = TRY(size(config, "hidden_size", 1 << 16)),
                  .layers = TRY(size(config, "num_hidden_layers", 1024)),
                  .heads = TRY(size(config, "num_attention_heads", 1 << 10)),
                  .intermediate = TRY(size(config, "intermediate_size", 1 << 20)),
                  .positions = TRY(size(config, "max_position_embeddings", 1 << 20)),
                  .types = TRY(size(config, "type_vocab_size", 1 << 10)),
                  .vocabulary = TRY(size(config, "vocab_size", 1 << 26))};
  if (read.hidden % read.heads != 0)
    return fail(ErrorKind::Unreadable,
                fmt::format("{} attention heads do not share {} numbers evenly", read.heads, read.hidden));
  if (const auto& act = member(config, "hidden_act"); !act.is_null())
    read.activation = TRY(parse_activation(word_of(act)));
  if (const auto& epsilon = member(config, "layer_norm_eps"); epsilon.is_number())
    read.epsilon = epsilon.get<float>();
  return read;
}

Result<AdapterConfig> read_adapter_config(const Json& file) {
  const auto& config = member(file, "config");
  if (!config.is_object())
    return fail(ErrorKind::Unsupported, "it has no \"config\" with the adapter's switches");
  if (const auto& kind = member(config, "architecture"); !kind.is_null())
    return fail(ErrorKind::Unsupported,
                fmt::format("the adapter's architecture is {}; bottleneck adapters are read", word_of(kind)));
  TRY(expect_off(config, "inv_adapter", "invertible adapters are not built"));
  TRY(expect_off(config, "phm_layer", "Compacter's layers are not built"));

  AdapterConfig read{
      .mh_adapter = TRY(read_switch(config, "mh_adapter", false)),
      .output_adapter = TRY(read_switch(config, "output_adapter", true)),
      .is_parallel = TRY(read_switch(config, "is_parallel", false)),
      .original_ln_before = TRY(read_switch(config, "original_ln_before", false)),
      .original_ln_after = TRY(read_switch(config, "original_ln_after", true)),
      .ln_before = TRY(read_switch(config, "ln_before", false)),
      .ln_after = TRY(read_switch(config, "ln_after", false)),
      .adapter_residual_before_ln = TRY(read_switch(config, "adapter_residual_before_ln", false)),
      .use_gating = TRY(read_switch(config, "use_gating", false)),
      .residual_before_ln = TRY(read_bypass(member(config, "residual_before_ln")))};
  if (const auto& name = member(file, "name"); name.is_string()) read.name = name.get<std::string>();
  const auto& act = member(config, "non_linearity");
  read.non_linearity = act.is_null() ? Activation::Identity : TRY(parse_activation(word_of(act)));
  const auto& scaling = member(config, "scaling");
  read.learned_scaling = scaling == "learned" || scaling == "channel";
  if (scaling.is_number())
    read.scaling = scaling.get<float>();
  else if (!scaling.is_null() && !read.learned_scaling)
    return fail(ErrorKind::Unsupported,
                fmt::format("scaling is {}, not a number, \"learned\" or \"channel\"", to_text(scaling)));
  for (const auto& layer : member(config, "leave_out"))
    if (layer.is_number_integer()) read.leave_out.insert(layer.get<std::int64_t>());
  if (read.residual_before_ln == Bypass::AfterAdd && !read.original_ln_before)
    return fail(ErrorKind::Unsupported, "residual_before_ln \"post_add\" needs original_ln_before");
  return read;
}

}  // namespace alcove::models
