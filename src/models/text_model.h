#pragma once
// A folder of the BERT family (transformers' or sentence-transformers'), with an adapter or none, to a graph
// that makes one vector of each text.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "models/bert.h"
#include "models/weight_folder.h"

namespace alcove::models {

enum class Pooling { Cls, Mean, Max };
Result<Pooling> parse_pooling(std::string_view name);  // "cls", "mean", "max"; BadInput otherwise
std::string_view name_of(Pooling pooling);

struct Dense {  // a linear layer behind the pooling
  std::string name;
  std::int64_t in = 0, out = 0;
  bool bias = true;
  Activation activation = Activation::Tanh;
  FolderWeights weights;
};

// What comes behind BERT's rows.
struct TextHead {
  Pooling pooling = Pooling::Cls;
  std::vector<Dense> dense;
  bool normalised = true;      // vectors have length 1
  std::size_t max_tokens = 0;  // 0: nothing is said
};

// A folder as read: what models with different adapters share.
struct TextFolder {
  std::filesystem::path path;
  BertConfig config;
  TextHead head;
  FolderWeights weights;
  std::size_t max_tokens = 0;  // of a text, marks included
  std::string sha256;          // of the weights and what the configurations say

  std::int64_t width() const { return head.dense.empty() ? config.hidden : head.dense.back().out; }
};

// Reads config.json, the weights (model.safetensors, pytorch_model.bin, or the files that an index of either
// names) and, of sentence-transformers, modules.json with pooling, dense layers and normalisation. A folder
// of transformers alone is pooled by its first token and normalised, as SPECTER2 is. `pooling` takes the
// place of what the folder says. Errors name the file.
Result<TextFolder> open_text_folder(const std::filesystem::path& path, std::optional<Pooling> pooling = {});

// adapter_config.json and the weights beside it (adapter.safetensors, model.safetensors or
// pytorch_adapter.bin).
struct TextAdapter {
  std::filesystem::path path;
  Adapter adapter;
  std::string sha256;
};
Result<TextAdapter> open_text_adapter(const std::filesystem::path& path);

enum class TextOutputs { Vector, VectorAndRows };

// input_ids, attention_mask, token_type_ids [N,L] i64 → sentence_embedding [N,width]; with the rows
// last_hidden_state [N,L,hidden] before it.
Result<graph::Model> build_text_model(const TextFolder& folder, const TextAdapter* adapter,
                                      TextOutputs outputs = TextOutputs::Vector);

// "BERT, 12 layers, 768 wide, cls, normalised, adapter proximity, 109,482,240 parameters, stored as F32"
std::string describe(const TextFolder& folder, const TextAdapter* adapter, const graph::Model& graph);

}  // namespace alcove::models
