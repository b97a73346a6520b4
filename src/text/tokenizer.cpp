#include "text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.h"

namespace alcove::text {
namespace {

std::string fingerprint_of(const TokenizerParts& parts) {
  const auto& how = parts.normalisation;
  auto text = fmt::format("{} {}{}{}{} {} {}", parts.vocabulary.sha256(), int{how.clean}, int{how.ideographs},
                          int{how.strip_accents}, int{how.lower_case}, parts.start, parts.separator);
  for (const auto& token : parts.added)
    text += fmt::format("\n{} {} {}", token.id, int{token.normalised}, token.content);
  return sha256_hex(as_bytes(text));
}

}  // namespace

TokenFinder::TokenFinder(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::ranges::stable_sort(tokens_, std::greater{}, [](const auto& token) { return token.content.size(); });
  for (const auto& token : tokens_) starts_[static_cast<unsigned char>(token.content.front())] = true;
}

TokenFinder::Found TokenFinder::first(std::string_view text) const {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!starts_[static_cast<unsigned char>(text[at])]) continue;
    for (const auto& token : tokens_)
      if (text.substr(at).starts_with(token.content)) return {at, &token};
  }
  return {};
}

Result<Tokenizer> Tokenizer::make(TokenizerParts parts) {
  Tokenizer made(std::move(parts));
  const auto id_of = [&](const std::string& mark) -> Result<TokenId> {
    for (const auto& token : made.parts_.added)
      if (token.content == mark) return token.id;
    if (const auto id = made.parts_.vocabulary.find(mark)) return *id;
    return fail(ErrorKind::Unreadable, fmt::format("the vocabulary has no '{}'", mark));
  };
  made.start_ = TRY(id_of(made.parts_.start));
  made.separator_ = TRY(id_of(made.parts_.separator));
  made.padding_ = TRY(id_of(made.parts_.padding));
  std::vector<AddedToken> raw, normalised;
  for (auto token : made.parts_.added) {
    if (token.normalised) token.content = normalise(token.content, made.parts_.normalisation);
    if (!token.content.empty()) (token.normalised ? normalised : raw).push_back(std::move(token));
  }
  made.raw_ = TokenFinder(std::move(raw));
  made.normalised_ = TokenFinder(std::move(normalised));
  made.fingerprint_ = fingerprint_of(made.parts_);
  return made;
}

std::size_t Tokenizer::id_count() const {
  auto count = parts_.vocabulary.id_count();
  for (const auto& token : parts_.added) count = std::max(count, static_cast<std::size_t>(token.id) + 1);
  return count;
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, std::size_t limit) const {
  std::vector<TokenId> ids{start_};
  append(text, limit - 1, ids);
  return finish(std::move(ids), limit);
}

std::vector<TokenId> Tokenizer::encode(std::string_view first, std::string_view second,
                                       std::size_t limit) const {
  std::vector<TokenId> ids{start_};
  append(first, limit - 1, ids);
  ids.push_back(separator_);
  append(second, limit - 1, ids);
  return finish(std::move(ids), limit);
}

std::vector<TokenId> Tokenizer::finish(std::vector<TokenId> ids, std::size_t limit) const {
  if (ids.size() > limit - 1) ids.resize(limit - 1);
  ids.push_back(separator_);
  return ids;
}

void Tokenizer::append(std::string_view text, std::size_t limit, std::vector<TokenId>& ids) const {
  while (!text.empty() && ids.size() < limit) {
    const auto [at, token] = raw_.first(text);
    append_normalised(normalise(text.substr(0, at), parts_.normalisation), limit, ids);
    if (!token) return;
    ids.push_back(token->id);
    text.remove_prefix(at + token->content.size());
  }
}

void Tokenizer::append_normalised(std::string_view text, std::size_t limit, std::vector<TokenId>& ids) const {
  while (!text.empty() && ids.size() < limit) {
    const auto [at, token] = normalised_.first(text);
    split_words(text.substr(0, at), [&](std::string_view word) {
      parts_.vocabulary.append_pieces(word, ids);
      return ids.size() < limit;
    });
    if (!token) return;
    ids.push_back(token->id);
    text.remove_prefix(at + token->content.size());
  }
}

}  // namespace alcove::text
