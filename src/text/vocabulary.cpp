#include "text/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.h"

namespace alcove::text {
namespace {

std::size_t characters_in(std::string_view word) {
  return static_cast<std::size_t>(std::ranges::count_if(
      word, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

}  // namespace

void Vocabulary::Pieces::add(std::string_view piece, TokenId id) {
  ids.insert_or_assign(std::string(piece), id);
  longest = std::max(longest, piece.size());
}

Result<Vocabulary> Vocabulary::make(const std::vector<VocabularyEntry>& entries, const PieceRules& rules) {
  Vocabulary made;
  made.rules_ = rules;
  made.first_.ids.reserve(entries.size());
  Sha256 digest;
  digest.add(as_bytes(fmt::format("{} {} {}\n", rules.unknown, rules.prefix, rules.longest_word)));
  for (const auto& [piece, id] : entries) {
    if (id < 0)
      return fail(ErrorKind::Unreadable, fmt::format("the vocabulary gives '{}' the id {}", piece, id));
    made.first_.add(piece, id);
    if (piece.starts_with(rules.prefix)) made.further_.add(piece.substr(rules.prefix.size()), id);
    digest.add(as_bytes(fmt::format("{} {}\n", id, piece)));
    made.id_count_ = std::max(made.id_count_, static_cast<std::size_t>(id) + 1);
  }
  const auto unknown = made.find(rules.unknown);
  if (!unknown)
    return fail(ErrorKind::Unreadable,
                fmt::format("the vocabulary has no '{}' for unknown words", rules.unknown));
  made.unknown_ = *unknown;
  made.sha256_ = digest.hex();
  return made;
}

std::optional<TokenId> Vocabulary::find(std::string_view piece) const {
  const auto found = first_.ids.find(piece);
  if (found == first_.ids.end()) return std::nullopt;
  return found->second;
}

void Vocabulary::append_pieces(std::string_view word, std::vector<TokenId>& ids) const {
  const auto before = ids.size();
  bool known = characters_in(word) <= rules_.longest_word;
  for (auto rest = word; known && !rest.empty();) {
    const auto& pieces = rest.size() == word.size() ? first_ : further_;
    auto length = std::min(rest.size(), pieces.longest);
    auto found = pieces.ids.end();
    for (; length > 0; --length) {
      found = pieces.ids.find(rest.substr(0, length));
      if (found != pieces.ids.end()) break;
    }
    known = length > 0;
    if (!known) break;
    ids.push_back(found->second);
    rest.remove_prefix(length);
  }
  if (known) return;
  ids.resize(before);
  ids.push_back(unknown_);
}

}  // namespace alcove::text
