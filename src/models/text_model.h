#pragma once
// A folder of the BERT family (transformers' or sentence-transformers'), with an adapter or none, to a graph
// that makes one vector of each text.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "models/bert.h"

namespace alcove::models {

enum class Pooling { Cls, Mean, Max };
Result<Pooling> parse_pooling(std::string_view name);  // "cls", "mean", "max"; BadInput otherwise
std::string_view name_of(Pooling pooling);

struct TextModelSettings {
  std::filesystem::path folder;
  std::filesystem::path adapter;   // folder; empty: none
  std::optional<Pooling> pooling;  // nothing: what the folder says, else cls
  bool hidden_states = false;      // also give last_hidden_state, as an exported graph should
};

struct TextModel {
  graph::Model graph;  // input_ids, attention_mask, token_type_ids [N,L] i64 → sentence_embedding [N,width],
                       // behind last_hidden_state [N,L,hidden] when that was asked for
  BertConfig config;
  Pooling pooling = Pooling::Cls;
  bool normalised = false;     // vectors have length 1
  std::int64_t width = 0;      // of a vector
  std::size_t max_tokens = 0;  // the model can read, marks included
  std::string sha256;          // of the weights, the adapter and what the configurations say
  std::size_t tensors = 0;
  std::string description;  // "BERT, 12 layers, 768 wide, cls, normalised, adapter proximity, 109,482,240 …"
};

// Reads config.json, the weights (model.safetensors, pytorch_model.bin, or the files that an index of either
// names) and, of sentence-transformers, modules.json with pooling, dense layers and normalisation. A folder
// of transformers alone is pooled by its first token and normalised, as SPECTER2 is. Errors name the file.
Result<TextModel> load_text_model(const TextModelSettings& settings);

}  // namespace alcove::models
