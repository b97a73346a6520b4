#pragma once
// The pieces a model knows, and WordPiece: a word as the fewest of them that a greedy reader finds.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace alcove::text {

using TokenId = std::int32_t;

struct VocabularyEntry {
  std::string piece;
  TokenId id = 0;
};

struct PieceRules {
  std::string unknown = "[UNK]";
  std::string prefix = "##";       // of a piece that goes on with a word
  std::size_t longest_word = 100;  // in characters; a longer word is unknown
};

class Vocabulary {
 public:
  // Of equal pieces the last counts. Unreadable when there is none for unknown words, or an id is negative.
  static Result<Vocabulary> make(const std::vector<VocabularyEntry>& entries, const PieceRules& rules);

  // Whole pieces only, as a tokenizer's file writes them ("##ing", "[SEP]").
  std::optional<TokenId> find(std::string_view piece) const;

  // Appends the word's pieces, or the unknown one.
  void append_pieces(std::string_view word, std::vector<TokenId>& ids) const;

  std::size_t id_count() const { return id_count_; }     // one past the largest id
  const std::string& sha256() const { return sha256_; }  // of pieces, ids and rules

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Pieces {  // that start a word, or that go on with one, without the prefix
    std::unordered_map<std::string, TokenId, Hash, std::equal_to<>> ids;
    std::size_t longest = 0;  // in bytes
    void add(std::string_view piece, TokenId id);
  };

  PieceRules rules_;
  Pieces first_, further_;
  TokenId unknown_ = 0;
  std::size_t id_count_ = 0;
  std::string sha256_;
};

}  // namespace alcove::text
