#include "app/diagnosis.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace alcove::app {
namespace {

// A Space with nothing wrong.
Facts healthy() {
  Facts facts{.space = "alice/sheets", .has_token = true};
  facts.account = {.name = "alice", .role = "write", .paid = true};
  facts.info.host = "https://alice-sheets.hf.space";
  facts.info.runtime = {.stage = "RUNNING", .hardware = "cpu-basic", .requested_hardware = "cpu-basic"};
  facts.hardware = {{"cpu-basic", "CPU basic", "16 GB"},
                    {"cpu-upgrade", "CPU upgrade", "32 GB", false, 0.03},
                    {"t4-small", "T4", "15 GB", true, 0.4}};
  facts.secrets = {{"ALCOVE_TOKEN"}};
  facts.files = {{"Dockerfile", 100}, {"README.md", 80}, {"models/a.pt", 1000, "", "aa"}};
  facts.dockerfile = "FROM debian\nEXPOSE 7860\nCMD [\"alcove\", \"serve\", \"answer-sheet\"]\n";
  facts.readme = "---\ntitle: x\nsdk: docker\napp_port: 7860\n---\n";
  facts.app_status = 200;
  facts.app_type = "application/json";
  return facts;
}

std::vector<std::string> codes(const Facts& facts) {
  std::vector<std::string> found;
  for (const auto& finding : diagnose(facts)) {
    EXPECT_FALSE(finding.what.empty() || finding.fix.empty()) << finding.code;
    found.push_back(finding.code);
  }
  return found;
}

TEST(Diagnosis, FindsNothingWhereNothingIsWrong) { EXPECT_EQ(codes(healthy()), std::vector<std::string>()); }

struct Case {
  const char* code;
  void (*plant)(Facts&);
};

class Planted : public testing::TestWithParam<Case> {};

TEST_P(Planted, IsFound) {
  auto facts = healthy();
  GetParam().plant(facts);
  const auto found = codes(facts);
  EXPECT_NE(std::ranges::find(found, GetParam().code), found.end()) << testing::PrintToString(found);
  EXPECT_LE(found.size(), 2U) << "one fault is not three: " << testing::PrintToString(found);
}

void stage(Facts& facts, const char* value) { facts.info.runtime.stage = value; }

INSTANTIATE_TEST_SUITE_P(
    Faults, Planted,
    testing::Values(
        Case{"token_missing", [](Facts& f) { f.has_token = false; }},
        Case{"token_rejected",
             [](Facts& f) { f.account_trouble = Error{ErrorKind::BadInput, "revoked", "bad_token"}; }},
        Case{"token_read_only", [](Facts& f) { f.account.role = "read"; }},
        Case{"space_missing",
             [](Facts& f) { f.space_trouble = Error{ErrorKind::NotFound, "absent", "repo_not_found"}; }},
        Case{"plan_missing", [](Facts& f) { f.account.paid = false; }},
        Case{"config_error",
             [](Facts& f) {
               stage(f, "CONFIG_ERROR");
               f.readme = "# no front matter\n";
             }},
        Case{"dockerfile_not_at_root",
             [](Facts& f) {
               stage(f, "NO_APP_FILE");
               f.files[0].path = "hf_space/Dockerfile";
               f.dockerfile.clear();
             }},
        Case{"no_app_file",
             [](Facts& f) {
               stage(f, "NO_APP_FILE");
               f.files.erase(f.files.begin());
               f.dockerfile.clear();
             }},
        Case{"build_failed",
             [](Facts& f) {
               stage(f, "BUILD_ERROR");
               f.build_log = {{"", "#6 [2/4] RUN false"}};
             }},
        Case{"weights_missing", [](Facts& f) { f.files.pop_back(); }},
        Case{"weights_pointers", [](Facts& f) { f.pointers = {"models/a.pt"}; }},
        Case{"weights_differ", [](Facts& f) { f.local_weights = {{"models/a.pt", 999, "bb"}}; }},
        Case{"out_of_memory",
             [](Facts& f) {
               stage(f, "RUNTIME_ERROR");
               f.info.runtime.error = "Memory limit exceeded (16Gi)";
             }},
        Case{"runtime_error",
             [](Facts& f) {
               stage(f, "RUNTIME_ERROR");
               f.info.runtime.error = "Exit code: 3";
             }},
        Case{"wrong_port", [](Facts& f) { f.dockerfile = "EXPOSE 8000\nCMD answer-sheet\n"; }},
        Case{"paused", [](Facts& f) { stage(f, "PAUSED"); }},
        Case{"asleep", [](Facts& f) { f.woke_after_seconds = 61; }},
        Case{"not_answering",
             [](Facts& f) {
               f.app_status = 502;
               f.app_type = "text/html";
             }},
        Case{"log_errors", [](Facts& f) { f.run_log = {{"", "Traceback (most recent call last)"}}; }},
        Case{"no_volume", [](Facts& f) { f.dockerfile = "EXPOSE 7860\nCMD paper-finder\n"; }},
        Case{"gpu_without_use", [](Facts& f) { f.info.runtime.requested_hardware = "t4-small"; }},
        Case{"use_without_gpu", [](Facts& f) { f.dockerfile += "# with cuda\n"; }},
        Case{"open_to_everybody", [](Facts& f) { f.secrets->clear(); }},
        Case{"page_address", [](Facts& f) { f.space_url = "https://huggingface.co/spaces/alice/sheets"; }},
        Case{"other_address", [](Facts& f) { f.space_url = "https://bob-sheets.hf.space/"; }},
        Case{"variable_not_set", [](Facts& f) { f.gateway_mode = "local"; }},
        Case{"clock_skew", [](Facts& f) { f.clock_skew_seconds = -3600; }},
        Case{"env_file", [](Facts& f) { f.env_findings = {".env:1: HF_TOKEN"}; }}),
    [](const auto& planted) { return std::string(planted.param.code); });

TEST(Diagnosis, NamesTheNextHardwareWhenMemoryRanOut) {
  auto facts = healthy();
  facts.info.runtime.error = "OOMKilled";
  EXPECT_NE(diagnose(facts).front().fix.find("cpu-upgrade"), std::string::npos);
}

TEST(Diagnosis, TakesTheRightAddressWithOrWithoutASlash) {
  auto facts = healthy();
  facts.space_url = "https://alice-sheets.hf.space/";
  EXPECT_TRUE(codes(facts).empty());
}

TEST(HardCoded, FindsTokensAndAddressesAndQuotesNone) {
  const auto found = hard_coded(
      "# "
      "HF_TOKEN=hf_comment_only\nA=1\nHF_TOKEN=\"hf_secretsecret\"\nHF_SPACE_URL=https://"
      "a-b.hf.space\nHF_TOKEN=\n");
  EXPECT_EQ(found, (std::vector<std::string>{"3: HF_TOKEN", "4: HF_SPACE_URL"}));
}

}  // namespace
}  // namespace alcove::app
