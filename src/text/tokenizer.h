#pragma once
// Texts to the numbers a BERT model reads, id for id as Hugging Face's tokenizers gives them.

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "text/normalise.h"
#include "text/vocabulary.h"

namespace alcove::text {

// A piece that is found in the text itself, before words are looked for: "[SEP]".
struct AddedToken {
  std::string content;
  TokenId id = 0;
  bool normalised =
      false;  // looked for in the normalised text, itself normalised, rather than in the raw one
};

// Finds them: the first in a text, of several at one place the longest.
class TokenFinder {
 public:
  struct Found {
    std::size_t at = std::string_view::npos;
    const AddedToken* token = nullptr;  // null: there is none
  };
  explicit TokenFinder(std::vector<AddedToken> tokens = {});  // contents are not empty
  Found first(std::string_view text) const;

 private:
  std::vector<AddedToken> tokens_;  // longest first
  std::array<bool, 256> starts_{};  // with which byte one may begin
};

struct TokenizerParts {
  Vocabulary vocabulary;
  Normalisation normalisation;
  std::vector<AddedToken> added;
  std::string start = "[CLS]", separator = "[SEP]", padding = "[PAD]";
  std::size_t max_tokens = 0;  // that the model says it can read; 0: it says nothing
};

// Safe from any thread.
class Tokenizer {
 public:
  // Reads a model's folder: tokenizer.json, else vocab.txt; tokenizer_config.json decides about case, accents
  // and length where it says anything, as it does for transformers. NotFound without either; Unsupported,
  // naming what, when it is no WordPiece tokenizer of BERT's.
  static Result<Tokenizer> load(const std::filesystem::path& folder);

  // Unreadable when the vocabulary lacks one of the marks.
  static Result<Tokenizer> make(TokenizerParts parts);

  // [CLS] text [SEP], at most `limit` ids (at least 2): what is past it is not read.
  std::vector<TokenId> encode(std::string_view text, std::size_t limit) const;
  // [CLS] first [SEP] second [SEP], as if the separator were written between them.
  std::vector<TokenId> encode(std::string_view first, std::string_view second, std::size_t limit) const;

  TokenId padding() const { return padding_; }
  std::size_t max_tokens() const { return parts_.max_tokens; }
  std::size_t id_count() const;                                    // one past the largest id
  const std::string& fingerprint() const { return fingerprint_; }  // sha256 of all that decides about ids

 private:
  explicit Tokenizer(TokenizerParts parts) : parts_(std::move(parts)) {}
  void append(std::string_view text, std::size_t limit, std::vector<TokenId>& ids) const;
  void append_normalised(std::string_view text, std::size_t limit, std::vector<TokenId>& ids) const;
  std::vector<TokenId> finish(std::vector<TokenId> ids, std::size_t limit) const;

  TokenizerParts parts_;
  TokenFinder raw_, normalised_;
  TokenId start_ = 0, separator_ = 0, padding_ = 0;
  std::string fingerprint_;
};

}  // namespace alcove::text
