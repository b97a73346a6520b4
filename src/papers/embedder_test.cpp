// Against transformers, adapters and sentence-transformers: tests/golden/bert, made by bert.py there.

#include "papers/embedder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json.h"

namespace alcove::papers {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(ALCOVE_SOURCE_DIR) / "tests" / "golden" / "bert";

Json golden() {
  std::stringstream text;
  text << std::ifstream(kGolden / "cases.json").rdbuf();
  return parse_json(text.str()).value();
}

EmbedderSettings settings_of(const Json& each) {
  EmbedderSettings settings{.model = kGolden / each.at("model").get<std::string>()};
  if (each.at("adapter").is_string()) settings.adapter = kGolden / each.at("adapter").get<std::string>();
  settings.engine.precision = engine::Precision::F32;
  settings.engine.threads = 2;
  return settings;
}

std::unique_ptr<Embedder> need(const EmbedderSettings& settings) {
  auto loaded = load_embedder(settings);
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return *std::move(loaded);
}

Error refusal(const EmbedderSettings& settings) {
  auto loaded = load_embedder(settings);
  if (!loaded) return loaded.error();
  const EmbedText text{"graph"};
  auto made = (*loaded)->embed({&text, 1}, Purpose::Paper);
  return made ? Error{} : made.error();
}

Vectors embed(Embedder& embedder, const std::vector<std::string>& texts, Purpose purpose = Purpose::Paper) {
  std::vector<EmbedText> asked;
  for (const auto& text : texts) asked.push_back({text});
  auto made = embedder.embed(asked, purpose);
  if (!made) throw std::runtime_error(made.error().message);
  return *std::move(made);
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double product = 0, left = 0, right = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    product += double{a[i]} * b[i], left += double{a[i]} * a[i], right += double{b[i]} * b[i];
  return product / std::sqrt(left * right);
}

void expect_golden(const Json& each, engine::Precision precision, double least,
                   engine::Choice choice = {engine::Device::Cpu}) {
  auto settings = settings_of(each);
  settings.engine.choice = choice;
  settings.engine.precision = precision;
  const auto embedder = need(settings);
  const auto texts = each.at("texts").get<std::vector<std::string>>();
  const auto made = embed(*embedder, texts);
  ASSERT_EQ(made.size(), texts.size());
  for (std::size_t row = 0; row < made.size(); ++row) {
    const auto expected = each.at("vectors")[row].get<std::vector<float>>();
    ASSERT_EQ(made.width, expected.size());
    EXPECT_GE(cosine(made[row], expected), least)
        << each.at("model") << each.at("adapter") << " text " << row;
    // Lengths too: pooling without normalisation has its own.
    EXPECT_NEAR(std::hypot(made[row][0], made[row][1]), std::hypot(expected[0], expected[1]),
                precision == engine::Precision::F32 ? 1e-4 : 0.1);
  }
}

TEST(Embedder, AsTheOriginalPackages) {
  const auto cases = golden();
  ASSERT_EQ(cases.size(), 15U);
  for (const auto backend : {engine::Backend::OpenVino, engine::Backend::OnnxRuntime})
    for (const auto& each : cases)
      expect_golden(each, engine::Precision::F32, 0.999999, {engine::Device::Cpu, backend});
}

TEST(Embedder, InBf16WhereTheCpuHasIt) {
  if (!engine::open_engine({engine::Device::Cpu}).value()->has_bf16())
    GTEST_SKIP() << "this CPU does not compute in bf16";
  for (const auto& each : golden()) expect_golden(each, engine::Precision::BF16, 0.999);
}

// Enough texts for several batches and windows, each with its own vector.
TEST(Embedder, VectorsComeInTheOrderOfTheTexts) {
  const auto embedder = need({.model = kGolden / "plain"});
  std::vector<std::string> texts;
  for (int i = 0; i < 2500; ++i)
    texts.push_back(std::string(static_cast<std::size_t>(i * 7 % 40), 'x') + " graph " + std::to_string(i));
  std::vector<EmbedText> asked(texts.begin(), texts.end());
  std::vector<std::size_t> steps;
  const auto all = embedder->embed(asked, Purpose::Paper, [&](std::size_t done) {
    steps.push_back(done);
    return true;
  });
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_TRUE(std::ranges::is_sorted(steps));
  EXPECT_EQ(steps.back(), texts.size());
  for (std::size_t row = 0; row < texts.size(); row += 83) {
    const auto one = embed(*embedder, {texts[row]});
    EXPECT_GE(cosine((*all)[row], one[0]), 0.99999) << row;
    EXPECT_EQ(all->tokens[row], one.tokens[0]);
  }
}

TEST(Embedder, NothingForNothingAndAnEndWhenTold) {
  const auto embedder = need({.model = kGolden / "plain"});
  EXPECT_EQ(embed(*embedder, {}).size(), 0U);
  const EmbedText text{"graph"};
  const auto stopped = embedder->embed({&text, 1}, Purpose::Paper, [](std::size_t) { return false; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::Unavailable);
}

TEST(Embedder, TitleAndAbstractAreJoinedAsTheModelOrTheOriginalHasIt) {
  EmbedderSettings settings{.model = kGolden / "plain"};
  const EmbedText paper{"graph", "neural network"}, untold{"graph", ""};
  auto embedder = need(settings);
  EXPECT_EQ(embedder->tokens_of(paper), embedder->tokens_of({"graph[SEP]neural network"}));
  EXPECT_EQ(embedder->tokens_of(untold), embedder->tokens_of({"graph[SEP]"}));
  settings.compat = true;
  embedder = need(settings);
  EXPECT_EQ(embedder->tokens_of(paper), embedder->tokens_of({"graph neural network"}));
}

TEST(Embedder, QueriesHaveAnAdapterOfTheirOwn) {
  EmbedderSettings settings{.model = kGolden / "plain",
                            .adapter = kGolden / "adapter_seq_bn",
                            .query_adapter = kGolden / "adapter_double_seq_bn"};
  const auto both = need(settings);
  const std::vector<std::string> text{"graph networks"};
  const auto query = embed(*both, text, Purpose::Query);
  EXPECT_LT(cosine(embed(*both, text)[0], query[0]), 0.99);
  EXPECT_GE(
      cosine(embed(*need({.model = settings.model, .adapter = settings.query_adapter}), text)[0], query[0]),
      0.99999);
  // As the original finder did it, papers' adapter reads queries too.
  settings.compat = true;
  const auto compat = need(settings);
  EXPECT_GE(cosine(embed(*compat, text)[0], embed(*compat, text, Purpose::Query)[0]), 0.99999);
}

TEST(Embedder, TheHashFollowsWhatDecidesPapersVectors) {
  const EmbedderSettings plain{.model = kGolden / "plain"};
  const auto hash = need(plain)->model_hash();
  auto other = plain;
  other.query_adapter = kGolden / "adapter_seq_bn";
  other.engine.threads = 1;
  EXPECT_EQ(need(other)->model_hash(), hash);
  for (const auto& change : std::vector<std::function<void(EmbedderSettings&)>>{
           [](auto& it) { it.model = kGolden / "half"; },
           [](auto& it) { it.adapter = kGolden / "adapter_seq_bn"; }, [](auto& it) { it.pooling = "mean"; },
           [](auto& it) { it.max_tokens = 7; }, [](auto& it) { it.compat = true; }}) {
    auto changed = plain;
    change(changed);
    EXPECT_NE(need(changed)->model_hash(), hash);
  }
}

TEST(Embedder, LimitsComeFromTheFolderOrTheCaller) {
  EXPECT_EQ(need({.model = kGolden / "plain"})->max_tokens(), 48);
  EXPECT_EQ(need({.model = kGolden / "sentences_mean"})->max_tokens(), 20);
  EXPECT_EQ(need({.model = kGolden / "plain", .max_tokens = 9})->max_tokens(), 9);
  for (const int bad : {1, -4, 49})
    EXPECT_EQ(refusal({.model = kGolden / "plain", .max_tokens = bad}).kind, ErrorKind::BadInput) << bad;
  EXPECT_EQ(refusal({.model = kGolden / "plain", .pooling = "median"}).kind, ErrorKind::BadInput);
}

class EmbedderFolders : public testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::path(testing::TempDir()) /
            (std::string("alcove-embedder-") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(path_);
    fs::copy(kGolden, path_, fs::copy_options::recursive);
  }
  void TearDown() override { fs::remove_all(path_); }
  void write(const fs::path& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  std::string message(const EmbedderSettings& settings) const { return refusal(settings).message; }

  fs::path path_;
};

TEST_F(EmbedderFolders, WhatIsMissingIsNamed) {
  const EmbedderSettings settings{.model = path_ / "plain"};
  EXPECT_NE(message({.model = path_ / "nowhere"}).find("nowhere"), std::string::npos);
  fs::remove(path_ / "plain" / "model.safetensors");
  EXPECT_NE(message(settings).find("model.safetensors, pytorch_model.bin"), std::string::npos)
      << message(settings);
  fs::remove(path_ / "plain" / "config.json");
  EXPECT_NE(message(settings).find("config.json"), std::string::npos) << message(settings);
  fs::remove(path_ / "plain" / "vocab.txt");
  EXPECT_NE(message(settings).find("vocab.txt"), std::string::npos) << message(settings);
  EXPECT_NE(message({.model = path_ / "half", .adapter = path_ / "plain"}).find("adapter_config.json"),
            std::string::npos);
}

TEST_F(EmbedderFolders, ConfigurationsThatLieAreRefused) {
  const auto config = [&](const char* name, const Json& value) {
    std::stringstream text;
    text << std::ifstream(kGolden / "plain" / "config.json").rdbuf();
    auto changed = parse_json(text.str()).value();
    changed[name] = value;
    write("plain/config.json", changed.dump());
    return message({.model = path_ / "plain"});
  };
  EXPECT_NE(config("model_type", "roberta").find("roberta"), std::string::npos);
  EXPECT_NE(config("hidden_size", 25).find("heads"), std::string::npos);
  EXPECT_NE(config("hidden_size", -3).find("hidden_size"), std::string::npos);
  EXPECT_NE(config("hidden_size", 48).find("shape"), std::string::npos);
  EXPECT_NE(config("num_hidden_layers", 3).find("encoder.layer.2"), std::string::npos);
  EXPECT_NE(config("hidden_act", "cosine").find("cosine"), std::string::npos);
  EXPECT_NE(config("vocab_size", 100).find("vocabulary"), std::string::npos);
  EXPECT_NE(config("position_embedding_type", "relative_key").find("relative_key"), std::string::npos);
}

TEST_F(EmbedderFolders, AdaptersThatDoNotFitAreRefused) {
  const auto adapter = [&](const char* name, const Json& value) {
    std::stringstream text;
    text << std::ifstream(kGolden / "adapter_seq_bn" / "adapter_config.json").rdbuf();
    auto changed = parse_json(text.str()).value();
    changed["config"][name] = value;
    write("adapter_seq_bn/adapter_config.json", changed.dump());
    return message({.model = path_ / "plain", .adapter = path_ / "adapter_seq_bn"});
  };
  EXPECT_NE(adapter("architecture", "lora").find("lora"), std::string::npos);
  EXPECT_NE(adapter("phm_layer", true).find("phm_layer"), std::string::npos);
  EXPECT_NE(adapter("mh_adapter", true).find("attention.output"), std::string::npos);
  EXPECT_NE(adapter("leave_out", Json{1}).find("has no place"), std::string::npos);
  EXPECT_NE(adapter("ln_after", true).find("adapter_norm_after"), std::string::npos);
  EXPECT_NE(adapter("non_linearity", "cubic").find("cubic"), std::string::npos);
  EXPECT_NE(adapter("scaling", "random").find("scaling"), std::string::npos);
}

TEST_F(EmbedderFolders, AnIndexThatNamesOtherFoldersIsRefused) {
  const EmbedderSettings settings{.model = path_ / "sharded"};
  write("sharded/model.safetensors.index.json", R"({"weight_map": {"a": "../plain/model.safetensors"}})");
  EXPECT_NE(message(settings).find("plain file"), std::string::npos) << message(settings);
  write("sharded/model.safetensors.index.json", R"({"weight_map": {}})");
  EXPECT_NE(message(settings).find("0 files"), std::string::npos) << message(settings);
  fs::remove(path_ / "sharded" / "model-00002-of-00002.safetensors");
  fs::copy(kGolden / "sharded" / "model.safetensors.index.json",
           path_ / "sharded" / "model.safetensors.index.json", fs::copy_options::overwrite_existing);
  EXPECT_NE(message(settings).find("model-00002-of-00002"), std::string::npos) << message(settings);
}

}  // namespace
}  // namespace alcove::papers
