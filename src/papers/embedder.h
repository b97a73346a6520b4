#pragma once
// Texts to vectors with a model of the BERT family and its adapters.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "text/vocabulary.h"

namespace alcove::papers {

// A paper's title and abstract, joined by the model's separator token; the separator is there too when the
// abstract is empty, as in SPECTER2's recipe. Any other text goes into `title`, with no abstract at all.
// UTF-8; what is not is read as U+FFFD.
struct EmbedText {
  std::string_view title;
  std::optional<std::string_view> abstract = {};
};

// SPECTER2 has an adapter for each; both vectors lie in one space. Without a query adapter there is no
// difference.
enum class Purpose { Paper, Query };

struct EmbedderSettings {
  std::filesystem::path model;          // folder with config.json, weights and vocabulary
  std::filesystem::path adapter;        // folder; empty: none
  std::filesystem::path query_adapter;  // folder; empty: queries go through `adapter` too
  std::string pooling;                  // "cls", "mean", "max"; empty: what the folder says, else cls
  int max_tokens = 0;                   // of a text, marks included; 0: what the folder says
  bool compat = false;  // as the original finder did it: a blank between title and abstract, queries through
                        // `adapter`
  engine::Settings engine;
};

struct Vectors {
  std::size_t width = 0;              // numbers of each vector
  std::vector<float> values;          // one row after the other, in the order of the texts
  std::vector<std::uint32_t> tokens;  // of each text as the model read it, marks included

  std::size_t size() const { return tokens.size(); }
  std::span<const float> operator[](std::size_t row) const {
    return std::span(values).subspan(row * width, width);
  }
};

struct EngineUse {
  std::string description;  // "OpenVINO 2026.1, AMD EPYC, 2 threads"
  std::string device;       // "cpu", "cuda"
  std::string reason;       // why that one
};

// Safe from any thread; calls take turns at the engine, whose threads one call keeps busy. Texts are sorted
// by length into batches and each batch is prepared while the one before runs.
class Embedder {
 public:
  virtual ~Embedder() = default;

  // How many texts are done, said after each batch on the caller's thread; false ends the work.
  using Progress = std::function<bool(std::size_t done)>;

  // Vectors in the order of the texts; none for none. Any text has one, an empty text too; what is past
  // max_tokens() is not read. Unavailable when `progress` ended it.
  virtual Result<Vectors> embed(std::span<const EmbedText> texts, Purpose purpose,
                                const Progress& progress = {}) = 0;

  // Compiles, or imports, what embed() would on its first call.
  virtual Result<void> prepare(Purpose purpose) = 0;

  // What embed() hands to the model.
  virtual std::vector<text::TokenId> tokens_of(const EmbedText& text) const = 0;

  virtual std::size_t width() const = 0;
  virtual int max_tokens() const = 0;
  virtual bool normalised() const = 0;  // vectors have length 1
  // Papers' vectors of equal hashes may share an index: sha256 of the weights, the adapter, the vocabulary
  // and every setting that alters a vector; not of precision or threads.
  virtual const std::string& model_hash() const = 0;
  virtual std::optional<EngineUse> engine() const { return {}; }  // none before the first use
  virtual std::string description() const = 0;  // "BERT, 12 layers, 768 wide, cls, adapter proximity, f32"
};

// Reads the folders; weights are compiled by prepare() or the first embed() of each purpose. Errors name the
// file and end in what to do about it.
Result<std::unique_ptr<Embedder>> load_embedder(const EmbedderSettings& settings);

}  // namespace alcove::papers
