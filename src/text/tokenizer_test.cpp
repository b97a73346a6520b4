#include "text/tokenizer.h"

#include "text/testing.h"

namespace alcove::text {
namespace {

using Ids = std::vector<TokenId>;

std::string vocabulary_lines() {
  std::stringstream text;
  text << std::ifstream(kGoldenTokens / "vocab.txt").rdbuf();
  return text.str();
}

// The same vocabulary as the package's own file has it.
Json as_tokenizer_json() {
  Json file{{"version", "1.0"},
            {"truncation", nullptr},
            {"added_tokens", Json::array()},
            {"normalizer",
             {{"type", "BertNormalizer"},
              {"clean_text", true},
              {"handle_chinese_chars", true},
              {"strip_accents", nullptr},
              {"lowercase", true}}},
            {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
            {"model",
             {{"type", "WordPiece"},
              {"unk_token", "[UNK]"},
              {"continuing_subword_prefix", "##"},
              {"max_input_chars_per_word", 100},
              {"vocab", Json::object()}}}};
  std::stringstream lines(vocabulary_lines());
  auto& vocabulary = file["model"]["vocab"];
  for (std::string line; std::getline(lines, line);) vocabulary[line] = vocabulary.size();
  int id = 0;
  for (const auto* mark : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
    file["added_tokens"].push_back({{"id", id++},
                                    {"content", mark},
                                    {"single_word", false},
                                    {"lstrip", false},
                                    {"rstrip", false},
                                    {"normalized", false},
                                    {"special", true}});
  return file;
}

Tokenizer need(const Folder& folder) {
  auto loaded = Tokenizer::load(folder.path());
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return *std::move(loaded);
}

Error refusal(const Folder& folder) {
  auto loaded = Tokenizer::load(folder.path());
  EXPECT_FALSE(loaded.has_value());
  return loaded ? Error{} : loaded.error();
}

void expect_golden(const Tokenizer& tokenizer, bool cased) {
  std::size_t compared = 0;
  for (const auto& each : golden_tokens("encoded")) {
    if (each.at("cased") != cased) continue;
    ++compared;
    EXPECT_EQ(tokenizer.encode(each.at("text").get<std::string>(), each.at("limit").get<std::size_t>()),
              each.at("ids").get<Ids>())
        << each.dump();
  }
  EXPECT_GT(compared, 60U);
}

TEST(Tokenizer, IdForIdAsTheRealOne) {
  const Folder folder;
  folder.write("vocab.txt", vocabulary_lines());
  expect_golden(need(folder), false);
  folder.write("tokenizer_config.json", R"({"do_lower_case": false, "model_max_length": 512})");
  expect_golden(need(folder), true);
  EXPECT_EQ(need(folder).max_tokens(), 512U);
}

TEST(Tokenizer, ReadsThePackagesOwnFile) {
  const Folder folder;
  folder.write("tokenizer.json", as_tokenizer_json().dump());
  expect_golden(need(folder), false);
  // What the settings beside it say about case counts.
  folder.write("tokenizer_config.json", R"({"do_lower_case": false, "model_max_length": 1e30})");
  expect_golden(need(folder), true);
  EXPECT_EQ(need(folder).max_tokens(), 0U);
}

TEST(Tokenizer, LineEndsOfOtherSystems) {
  const Folder folder;
  std::string lines = vocabulary_lines(), ends;
  for (const char byte : lines) (byte == '\n' ? ends += "\r\n" : ends += byte);
  folder.write("vocab.txt", ends);
  expect_golden(need(folder), false);
}

TEST(Tokenizer, TwoPartsAreJoinedByTheSeparator) {
  const Folder folder;
  folder.write("vocab.txt", vocabulary_lines());
  const auto tokenizer = need(folder);
  EXPECT_EQ(tokenizer.encode("graph", "neural network", 512),
            tokenizer.encode("graph[SEP]neural network", 512));
  for (std::size_t limit = 2; limit < 8; ++limit)
    EXPECT_EQ(tokenizer.encode("graph graph", "neural", limit),
              tokenizer.encode("graph graph[SEP]neural", limit));
  EXPECT_EQ(tokenizer.encode("", "", 512), (Ids{2, 3, 3}));
}

TEST(Tokenizer, AddedWordsAreFoundInTheNormalisedText) {
  auto file = as_tokenizer_json();
  file["added_tokens"].push_back({{"id", 5000}, {"content", "GraphNet"}, {"normalized", true}});
  file["added_tokens"].push_back({{"id", 5001}, {"content", "Graph"}, {"normalized", false}});
  const Folder folder;
  folder.write("tokenizer.json", file.dump());
  const auto tokenizer = need(folder);
  EXPECT_EQ(tokenizer.encode("a graphNET", 512)[2], 5000);
  EXPECT_EQ(tokenizer.encode("Graph", 512), (Ids{2, 5001, 3}));
  EXPECT_EQ(tokenizer.id_count(), 5002U);
}

TEST(Tokenizer, TheFingerprintFollowsWhatDecidesIds) {
  const Folder folder;
  folder.write("vocab.txt", vocabulary_lines());
  const auto uncased = need(folder).fingerprint();
  EXPECT_EQ(need(folder).fingerprint(), uncased);
  folder.write("tokenizer_config.json", R"({"do_lower_case": false})");
  EXPECT_NE(need(folder).fingerprint(), uncased);
  folder.write("tokenizer_config.json", "{}");
  EXPECT_EQ(need(folder).fingerprint(), uncased);
  folder.write("vocab.txt", vocabulary_lines() + "more\n");
  EXPECT_NE(need(folder).fingerprint(), uncased);
}

TEST(Tokenizer, MegabytesOfJunkTakeNoTime) {
  const Folder folder;
  folder.write("vocab.txt", vocabulary_lines());
  const auto tokenizer = need(folder);
  std::string marks, accents = "e", noise;
  for (int i = 0; i < 400'000; ++i)
    marks += "[SEP", accents += "\u0301\u0323", noise += static_cast<char>(i * 37 % 251);
  for (const auto& text : {marks, accents, noise, std::string(10 << 20, 'x'), std::string(1 << 20, '\0')})
    EXPECT_LE(tokenizer.encode(text, 512).size(), 512U);
}

TEST(Tokenizer, RefusesWhatIsNoTokenizerOfTheFamily) {
  const Folder folder;
  EXPECT_EQ(refusal(folder).kind, ErrorKind::NotFound);
  auto file = as_tokenizer_json();
  file["model"]["type"] = "BPE";
  folder.write("tokenizer.json", file.dump());
  EXPECT_EQ(refusal(folder).kind, ErrorKind::Unsupported);
  EXPECT_NE(refusal(folder).message.find("model is BPE"), std::string::npos) << refusal(folder).message;
  file = as_tokenizer_json();
  file["normalizer"] = nullptr;
  folder.write("tokenizer.json", file.dump());
  EXPECT_NE(refusal(folder).message.find("normalizer is none"), std::string::npos) << refusal(folder).message;
  file = as_tokenizer_json();
  file["added_tokens"][4]["lstrip"] = true;
  folder.write("tokenizer.json", file.dump());
  EXPECT_NE(refusal(folder).message.find("lstrip"), std::string::npos) << refusal(folder).message;
}

TEST(Tokenizer, DamagedFilesAreRefusedNotRead) {
  const Folder folder;
  auto file = as_tokenizer_json();
  const auto text = file.dump();
  for (std::size_t cut = 0; cut < text.size(); cut += 97) {
    folder.write("tokenizer.json", text.substr(0, cut));
    EXPECT_FALSE(Tokenizer::load(folder.path())) << cut;
  }
  for (const Json& id :
       {Json(-1), Json("7"), Json(1.5), Json(std::uint64_t{1} << 63), Json(std::int64_t{1} << 40)}) {
    file["model"]["vocab"]["graph"] = id;
    folder.write("tokenizer.json", file.dump());
    EXPECT_EQ(refusal(folder).kind, ErrorKind::Unreadable) << id.dump();
  }
  folder.write("tokenizer.json", std::string(1 << 20, '['));
  EXPECT_EQ(refusal(folder).kind, ErrorKind::Unreadable);

  std::filesystem::remove(folder.path() / "tokenizer.json");
  folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n");
  EXPECT_NE(refusal(folder).message.find("'[SEP]'"), std::string::npos) << refusal(folder).message;
  folder.write("vocab.txt", vocabulary_lines());
  folder.write("tokenizer_config.json", "{");
  EXPECT_NE(refusal(folder).message.find("tokenizer_config.json"), std::string::npos);
}

}  // namespace
}  // namespace alcove::text
