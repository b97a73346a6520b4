// A model's folder to a tokenizer.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/mapped_file.h"
#include "text/tokenizer.h"

namespace alcove::text {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = 32 << 20;  // the largest vocabularies of this family take 5 MB
constexpr std::size_t kMaxPieces = 2'000'000;
constexpr std::size_t kMaxKeys = 20'000;      // of everything else: each is compared with those before it
constexpr std::size_t kMaxAdded = 10'000;     // each is looked for in every text
constexpr std::size_t kMostTokens = 1 << 20;  // files write 1e30 where they mean "no limit"

Result<std::string> read_text(const fs::path& path) {
  const auto file = TRY(MappedFile::open(path));
  if (file.bytes().size() > kMaxFile)
    return fail(ErrorKind::TooLarge, fmt::format("{} has {} bytes; at most {} are read", path.string(),
                                                 file.bytes().size(), kMaxFile));
  return std::string(as_text(file.bytes()));
}

std::string text_of(const Json& value, std::string otherwise) {
  if (value.is_string()) return value.get<std::string>();
  // A mark may be written with its switches: {"content": "[SEP]", "lstrip": false, …}.
  const auto& content = member(value, "content");
  return content.is_string() ? content.get<std::string>() : std::move(otherwise);
}

void set_if_said(bool& target, const Json& value) {
  if (value.is_boolean()) target = value.get<bool>();
}

Result<AddedToken> added_token(const Json& value, const Json& id) {
  if (!member(value, "content").is_string() || !id.is_number_integer() || id.get<std::int64_t>() < 0 ||
      id.get<std::int64_t>() > INT32_MAX)
    return fail(ErrorKind::Unreadable, "an added token has no content or no sound id");
  AddedToken token{.content = value["content"].get<std::string>(), .id = id.get<TokenId>()};
  set_if_said(token.normalised, member(value, "normalized"));
  for (const auto* name : {"lstrip", "rstrip", "single_word"})
    if (member(value, name) == true)
      return fail(ErrorKind::Unsupported,
                  fmt::format("the added token '{}' has {} set, which BERT's tokenizers do not use",
                              token.content, name));
  return token;
}

Result<void> expect_type(const Json& file, const char* part, std::string_view wanted) {
  const auto type = text_of(member(member(file, part), "type"), "none");
  if (type == wanted) return {};
  return fail(ErrorKind::Unsupported,
              fmt::format("its {} is {}, not {}; only WordPiece tokenizers of the BERT family are read", part,
                          type, wanted));
}

struct JsonFile {
  Json rest;                             // all but what the model part holds of pieces
  std::vector<VocabularyEntry> entries;  // model.vocab
};

// One pass. The pieces, tens of thousands of keys in one object, go into a list: looking each up among those
// before it would take seconds.
Result<JsonFile> parse_tokenizer_json(const std::string& text) {
  JsonFile file;
  std::vector<std::string> path;  // keys of the objects that are open
  std::size_t keys = 0;
  bool sound = true;
  const auto in_vocabulary = [&] { return path.size() == 3 && path[0] == "model" && path[1] == "vocab"; };
  const auto keep = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::key) {
      path.resize(static_cast<std::size_t>(depth));
      path.back() = value.get<std::string>();
      return !in_vocabulary() && ++keys < kMaxKeys;
    }
    if (event != Json::parse_event_t::value || !in_vocabulary()) return true;
    sound &= value.is_number_integer() && value.get<std::int64_t>() <= INT32_MAX &&
             value.get<std::int64_t>() >= 0 && file.entries.size() < kMaxPieces;
    if (sound) file.entries.push_back({path.back(), value.get<TokenId>()});
    return true;
  };
  file.rest = Json::parse(text, keep, false);
  if (file.rest.is_discarded() || !file.rest.is_object())
    return fail(ErrorKind::Unreadable, "not a JSON object");
  if (!sound)
    return fail(ErrorKind::Unreadable, "its vocabulary is damaged, or of more than two million pieces");
  if (keys >= kMaxKeys)
    return fail(ErrorKind::Unsupported, "it says more than a tokenizer of this family has to say");
  return file;
}

Result<TokenizerParts> from_json(const std::string& text) {
  const auto file = TRY(parse_tokenizer_json(text));
  TRY(expect_type(file.rest, "model", "WordPiece"));
  TRY(expect_type(file.rest, "normalizer", "BertNormalizer"));
  TRY(expect_type(file.rest, "pre_tokenizer", "BertPreTokenizer"));
  const auto& model = member(file.rest, "model");
  PieceRules rules;
  rules.unknown = text_of(member(model, "unk_token"), rules.unknown);
  rules.prefix = text_of(member(model, "continuing_subword_prefix"), rules.prefix);
  if (const auto& most = member(model, "max_input_chars_per_word"); most.is_number_unsigned())
    rules.longest_word = most.get<std::size_t>();

  TokenizerParts parts{.vocabulary = TRY(Vocabulary::make(file.entries, rules))};
  const auto& normaliser = member(file.rest, "normalizer");
  auto& how = parts.normalisation;
  set_if_said(how.clean, member(normaliser, "clean_text"));
  set_if_said(how.ideographs, member(normaliser, "handle_chinese_chars"));
  set_if_said(how.lower_case, member(normaliser, "lowercase"));
  how.strip_accents = how.lower_case;
  set_if_said(how.strip_accents, member(normaliser, "strip_accents"));
  for (const auto& token : member(file.rest, "added_tokens"))
    parts.added.push_back(TRY(added_token(token, member(token, "id"))));
  return parts;
}

Result<TokenizerParts> from_lines(const std::string& file) {
  std::string_view text = file;
  std::vector<VocabularyEntry> entries;
  while (!text.empty() && entries.size() < kMaxPieces) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    entries.push_back({std::string(line), static_cast<TokenId>(entries.size())});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  TokenizerParts parts{.vocabulary = TRY(Vocabulary::make(entries, {}))};
  for (const auto* mark : {"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"})
    if (const auto id = parts.vocabulary.find(mark)) parts.added.push_back({mark, *id});
  return parts;
}

// tokenizer_config.json has the last word about case, accents, marks and length.
Result<void> apply_config(const Json& config, bool with_added, TokenizerParts& parts) {
  auto& how = parts.normalisation;
  if (member(config, "do_lower_case").is_boolean()) {
    how.lower_case = config["do_lower_case"].get<bool>();
    how.strip_accents = how.lower_case;
  }
  set_if_said(how.strip_accents, member(config, "strip_accents"));
  set_if_said(how.ideographs, member(config, "tokenize_chinese_chars"));
  set_if_said(how.clean, member(config, "clean_text"));
  parts.start = text_of(member(config, "cls_token"), parts.start);
  parts.separator = text_of(member(config, "sep_token"), parts.separator);
  parts.padding = text_of(member(config, "pad_token"), parts.padding);
  const auto& length = member(config, "model_max_length");
  if (length.is_number() && length.get<double>() >= 2 && length.get<double>() <= kMostTokens)
    parts.max_tokens = static_cast<std::size_t>(length.get<double>());
  if (!with_added) return {};
  for (const auto& [id, token] : member(config, "added_tokens_decoder").items()) {
    const auto number = Json::parse(id, nullptr, false);
    const auto made = TRY(added_token(token, number));
    std::erase_if(parts.added, [&](const auto& known) { return known.content == made.content; });
    parts.added.push_back(made);
  }
  return {};
}

Result<TokenizerParts> read_pieces(const fs::path& path, Result<TokenizerParts> (*read)(const std::string&)) {
  auto parts = read(TRY(read_text(path)));
  if (!parts) return fail_in(path.string(), std::move(parts).error());
  return parts;
}

Result<TokenizerParts> read_parts(const fs::path& folder) {
  const auto json = folder / "tokenizer.json", lines = folder / "vocab.txt";
  const bool has_json = fs::exists(json);
  if (!has_json && !fs::exists(lines))
    return fail(ErrorKind::NotFound,
                fmt::format("{} has neither tokenizer.json nor vocab.txt; copy the model's vocabulary there",
                            folder.string()));
  auto parts = has_json ? TRY(read_pieces(json, from_json)) : TRY(read_pieces(lines, from_lines));
  const auto config = folder / "tokenizer_config.json";
  if (!fs::exists(config)) return parts;
  const auto parsed = parse_json(TRY(read_text(config)));
  if (!parsed) return fail_in(config.string(), parsed.error());
  if (auto applied = apply_config(*parsed, !has_json, parts); !applied)
    return fail_in(config.string(), std::move(applied).error());
  return parts;
}

}  // namespace

Result<Tokenizer> Tokenizer::load(const fs::path& folder) {
  auto parts = TRY(read_parts(folder));
  if (parts.added.size() > kMaxAdded)
    return fail(ErrorKind::Unsupported, fmt::format("{} has {} added tokens; at most {} are looked for",
                                                    folder.string(), parts.added.size(), kMaxAdded));
  auto made = make(std::move(parts));
  if (!made) return fail_in(folder.string(), std::move(made).error());
  return made;
}

}  // namespace alcove::text
