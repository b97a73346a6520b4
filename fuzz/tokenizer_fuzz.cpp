// A text for the tokenizer, or a tokenizer.json, as the first byte says.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/bytes.h"
#include "text/tokenizer.h"

namespace {

namespace fs = std::filesystem;
using namespace alcove;

constexpr std::size_t kLimit = 64;

void need(bool holds) {
  if (!holds) std::abort();
}

text::Tokenizer make(bool cased) {
  std::vector<text::VocabularyEntry> entries;
  for (const auto* piece :
       {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##a", "##b", "e", "é", "##한", "中", ",", "the"})
    entries.push_back({piece, static_cast<text::TokenId>(entries.size())});
  text::TokenizerParts parts{.vocabulary = *text::Vocabulary::make(entries, {})};
  if (cased) parts.normalisation = {.strip_accents = false, .lower_case = false};
  parts.added = {{"[SEP]", 3, false}, {"[MASK]", 4, false}, {"Added", 20, true}};
  return *text::Tokenizer::make(std::move(parts));
}

void encode(std::string_view text, bool cased) {
  static const text::Tokenizer kTokenizers[] = {make(false), make(true)};
  const auto& tokenizer = kTokenizers[cased];
  const auto ids = tokenizer.encode(text, kLimit);
  need(ids.size() >= 2 && ids.size() <= kLimit && ids.front() == 2 && ids.back() == 3);
  for (const auto id : ids) need(id >= 0 && static_cast<std::size_t>(id) < tokenizer.id_count());
  // What is cut off has no part in what is left.
  const auto fewer = tokenizer.encode(text, 8);
  need(std::equal(fewer.begin(), fewer.end() - 1, ids.begin()));
}

void load(std::string_view file) {
  static const fs::path kFolder =
      fs::temp_directory_path() / ("alcove-fuzz-" + std::to_string(std::random_device()()));
  fs::create_directories(kFolder);
  std::ofstream(kFolder / "tokenizer.json", std::ios::binary) << file;
  const auto tokenizer = text::Tokenizer::load(kFolder);
  if (tokenizer) need(tokenizer->encode("a text, [SEP] and é", kLimit).size() <= kLimit);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto rest = alcove::as_text({data + 1, size - 1});
  if (data[0] == 'j')
    load(rest);
  else
    encode(rest, data[0] == 'c');
  return 0;
}
