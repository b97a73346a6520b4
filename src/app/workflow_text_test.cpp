#include "app/workflow_text.h"

#include <gtest/gtest.h>

namespace alcove::app {
namespace {

Workflow of(bool git, bool keyless) {
  return {.space = {hub::RepoKind::Space, "alice/finder"},
          .endpoint = "https://huggingface.co",
          .git = git,
          .keyless = keyless};
}

TEST(WorkflowText, LeavesNoMarkBehind) {
  for (const bool git : {false, true}) {
    const auto text = workflow_text(of(git, false));
    for (const char* mark : {"@SPACE@", "@BRANCH@", "@LOGIN@", "@PERMISSION@", "@ENDPOINT@", "@LEFT_OUT@"})
      EXPECT_EQ(text.find(mark), std::string::npos) << mark;
    EXPECT_NE(text.find("secrets.HF_TOKEN"), std::string::npos);
    EXPECT_EQ(text.find("id-token"), std::string::npos);
  }
}

TEST(WorkflowText, NeedsNoSecretWithTheJobsIdentity) {
  const auto text = workflow_text(of(false, true));
  EXPECT_EQ(text.find("secrets."), std::string::npos);
  EXPECT_NE(text.find("id-token: write"), std::string::npos);
  EXPECT_NE(text.find("HF_OIDC_RESOURCE: spaces/alice/finder"), std::string::npos);
}

TEST(FetchingDockerfile, FetchesInsteadOfCopying) {
  const auto text = fetching_dockerfile("FROM a\nCOPY --chown=1000 program/ /opt/alcove/\nUSER 1000\n",
                                        "https://host.org/alcove.tar.gz", "c0ffee");
  EXPECT_EQ(text,
            "FROM a\n"
            "ADD https://host.org/alcove.tar.gz /tmp/program.tar.gz\n"
            "RUN echo \"c0ffee  /tmp/program.tar.gz\" | sha256sum --check --quiet - \\\n"
            " && mkdir -p /opt/alcove/ && tar -xzf /tmp/program.tar.gz --no-same-owner -C /opt/alcove/ && rm "
            "/tmp/program.tar.gz\n"
            "USER 1000\n");
  EXPECT_EQ(fetching_dockerfile("FROM a\nCOPY . .\n", "https://host.org/a", "c0ffee"), "");
}

TEST(GitIgnore, GetsWhatIsMissing) {
  const auto text = with_left_out("mine\napi_cache/");
  EXPECT_TRUE(text.starts_with("mine\napi_cache/\n"));
  EXPECT_NE(text.find("\nchroma_db_persistent/\n"), std::string::npos);
  EXPECT_NE(text.find("\n.env\n"), std::string::npos);
  EXPECT_EQ(text.find("api_cache/", text.find("api_cache/") + 1), std::string::npos);
  EXPECT_EQ(with_left_out(text), text);
}

}  // namespace
}  // namespace alcove::app
