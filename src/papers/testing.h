#pragma once
// A model for tests: small, quick, and its vectors say something of the text.

#include <atomic>
#include <functional>

#include "papers/embedder.h"
#include "text/fold.h"

namespace alcove::papers {

// Each word has a direction of its own; a text's vector is the sum of its words'. Texts that share words are
// near.
class WordEmbedder final : public Embedder {
 public:
  explicit WordEmbedder(std::string hash = "words", std::size_t width = 64)
      : hash_(std::move(hash)), width_(width) {}

  Result<Vectors> embed(std::span<const EmbedText> texts, Purpose, const Progress& progress = {}) override {
    Vectors vectors{.width = width_};
    for (const auto& text : texts) {
      std::vector<float> sum(width_, 0.01F);
      for (const auto part : {text.title, text.abstract.value_or("")})
        for (const auto& word : text::folded_words(part)) add(sum, word);
      vectors.values.insert(vectors.values.end(), sum.begin(), sum.end());
      vectors.tokens.push_back(1);
      ++embedded;
      if (before_next) before_next();
      if (progress && !progress(vectors.size())) return fail(ErrorKind::Unavailable, "ended");
    }
    return vectors;
  }
  Result<void> prepare(Purpose) override { return {}; }
  std::vector<text::TokenId> tokens_of(const EmbedText&) const override { return {}; }
  std::size_t width() const override { return width_; }
  int max_tokens() const override { return 512; }
  bool normalised() const override { return false; }
  const std::string& model_hash() const override { return hash_; }
  std::string description() const override { return "words, for tests"; }

  std::size_t embedded = 0;           // texts so far
  std::function<void()> before_next;  // called after each

 private:
  void add(std::vector<float>& sum, const std::string& word) const {
    auto state = std::hash<std::string>()(word);
    for (auto& value : sum) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      value += static_cast<float>(static_cast<std::int64_t>(state) >> 32) / 2147483648.0F;
    }
  }

  std::string hash_;
  std::size_t width_;
};

}  // namespace alcove::papers
