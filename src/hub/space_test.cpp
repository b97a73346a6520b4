#include "hub/space.h"

#include <gtest/gtest.h>

#include "hub/space_log.h"

namespace alcove::hub {
namespace {

TEST(SpaceRuntime, TakesWhatThereIs) {
  const auto json = parse_json(
      R"({"stage":"BUILDING","hardware":{"current":null,"requested":"cpu-basic"},"gcTimeout":172800,"domains":[{"domain":"a-b.hf.space"}],"volumes":[{"type":"bucket","source":"a/b","mountPath":"/data"}]})");
  const auto runtime = runtime_of(json.value());
  EXPECT_EQ(runtime.stage, "BUILDING");
  EXPECT_EQ(runtime.hardware, "");
  EXPECT_EQ(runtime.requested_hardware, "cpu-basic");
  EXPECT_EQ(runtime.sleep_seconds, 172800);
  EXPECT_EQ(runtime.domains.front(), "a-b.hf.space");
  EXPECT_EQ(runtime.volumes.front(), (Volume{"bucket", "a/b", "/data"}));
  EXPECT_EQ(runtime_of(parse_json(R"({"hardware":null,"domains":7})").value()).stage, "UNKNOWN");
}

TEST(SpaceAddress, FollowsTheHubsExamples) {
  EXPECT_EQ(subdomain_of({RepoKind::Space, "NimaBoscarino/hotdog-gradio"}), "nimaboscarino-hotdog-gradio");
  EXPECT_EQ(subdomain_of({RepoKind::Space, "user/tmp_test_space"}), "user-tmp-test-space");
  EXPECT_EQ(subdomain_of({RepoKind::Space, "a/stable-diffusion-3.5-large"}), "a-stable-diffusion-3-5-large");
}

TEST(SpaceVolume, IsThreeWords) {
  EXPECT_EQ(parse_volume("bucket:alice/index:/data").value(), (Volume{"bucket", "alice/index", "/data"}));
  for (const char* text : {"", "bucket", "bucket:a/b", "disk:a/b:/data", "bucket:a/b:data", "bucket::/data"})
    EXPECT_FALSE(parse_volume(text)) << text;
}

TEST(SpaceKey, IsAVariablesName) {
  for (const char* key : {"ALCOVE_TOKEN", "a", "_x1"}) EXPECT_TRUE(check_key(key)) << key;
  for (const char* key : {"", "1A", "A B", "A=B", "A\n", "Ä"}) EXPECT_FALSE(check_key(key)) << key;
}

TEST(FailedStep, IsPickedOut) {
  const std::vector<LogLine> log{
      {"", "#5 [1/4] FROM debian:13"},
      {"", "#6 [2/4] RUN apt-get install libnope"},
      {"", "#6 1.2 E: Unable to locate package libnope"},
      {"", "#6 ERROR: process \"/bin/sh -c apt-get install libnope\" did not complete successfully"}};
  EXPECT_EQ(failed_step(log),
            "RUN apt-get install libnope: #6 ERROR: process \"/bin/sh -c apt-get install libnope\" did not "
            "complete successfully");
  EXPECT_EQ(failed_step({}), "");
}

}  // namespace
}  // namespace alcove::hub
