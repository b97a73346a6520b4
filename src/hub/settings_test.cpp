#include "hub/settings.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

namespace alcove::hub {
namespace {

namespace fs = std::filesystem;

Environment of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

TEST(Settings, HaveTheDefaultsOfTheOtherClients) {
  const auto settings = read_settings(of({{"HOME", "/home/a"}})).value();
  EXPECT_EQ(settings.endpoint, "https://huggingface.co");
  EXPECT_EQ(settings.cache, "/home/a/.cache/huggingface/hub");
  EXPECT_TRUE(settings.token.empty());
  EXPECT_FALSE(settings.offline);
}

TEST(Settings, FollowTheVariables) {
  EXPECT_EQ(read_settings(of({{"HOME", "/h"}, {"XDG_CACHE_HOME", "/x"}}))->cache, "/x/huggingface/hub");
  EXPECT_EQ(read_settings(of({{"HOME", "/h"}, {"HF_HOME", "~/hf"}}))->cache, "/h/hf/hub");
  EXPECT_EQ(read_settings(of({{"DATA", "/data"}, {"HF_HOME", "$DATA/hf"}}))->cache, "/data/hf/hub");
  EXPECT_EQ(read_settings(of({{"HF_HOME", "/hf"}, {"HF_HUB_CACHE", "/c"}}))->cache, "/c");
  EXPECT_EQ(read_settings(of({{"HF_ENDPOINT", "http://127.0.0.1:8999/"}}))->endpoint,
            "http://127.0.0.1:8999");
  EXPECT_TRUE(read_settings(of({{"HF_HUB_OFFLINE", "yes"}}))->offline);
  EXPECT_FALSE(read_settings(of({{"HF_ENDPOINT", "huggingface.co"}})));
}

TEST(Token, ComesFromTheFirstPlaceThatHasOne) {
  const auto file = fs::path(testing::TempDir()) / "hub_token";
  std::ofstream(file) << "hf_file\n";
  const auto token = [&](std::map<std::string, std::string> values) {
    values["HF_TOKEN_PATH"] = file;
    return read_settings(of(std::move(values)))->token;
  };
  EXPECT_EQ(token({{"HF_TOKEN", " hf_first\r\n"}, {"HUGGING_FACE_HUB_TOKEN", "hf_second"}}), "hf_first");
  EXPECT_EQ(token({{"HUGGING_FACE_HUB_TOKEN", "hf_second"}}), "hf_second");
  EXPECT_EQ(token({{"HF_TOKEN", " "}, {"HUGGING_FACE_HUB_TOKEN", "hf_second"}}), "hf_file");
  EXPECT_EQ(token({}), "hf_file");
  EXPECT_EQ(token({{"HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"}, {"HF_TOKEN", "hf_first"}}), "");
  fs::remove(file);
  EXPECT_EQ(token({}), "");
}

TEST(Token, IsRefusedWithoutBeingQuoted) {
  for (const std::string text :
       {"hf_se cret", "hf_se\ncret", "hf_se\tcret", "hf_secrét", "secret", "sk-secret", "Bearer hf_secret"}) {
    const auto token = clean_token(text, "HF_TOKEN");
    ASSERT_FALSE(token) << text;
    EXPECT_EQ(token.error().kind, ErrorKind::BadInput);
    EXPECT_EQ(token.error().message.find("cret"), std::string::npos) << token.error().message;
    EXPECT_NE(token.error().message.find("HF_TOKEN"), std::string::npos);
  }
}

}  // namespace
}  // namespace alcove::hub
