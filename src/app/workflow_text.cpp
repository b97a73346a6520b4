#include "app/workflow_text.h"

#include <fmt/format.h>

#include <sstream>

#include "hub/folder.h"

namespace alcove::app {
namespace {

// Each text is a whole step; @NAME@ stands for what differs. Scripts are bash, which GitHub runs with -e.
constexpr const char* kHead =
    R"yaml(# Written by `alcove space workflow`: keeps https://huggingface.co/spaces/@SPACE@ in step with this repository.
name: Sync to Hugging Face Space
on:
  push:
    branches: [@BRANCH@]
  workflow_dispatch:
concurrency:
  group: sync-to-hf-space
permissions:
  contents: read
@PERMISSION@jobs:
  sync-to-hub:
    runs-on: ubuntu-latest
    env:
      HF_ENDPOINT: @ENDPOINT@
      SPACE: @SPACE@
@LOGIN@    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
          lfs: true
)yaml";

constexpr const char* kSecretCheck = R"yaml(      - name: Look for the token
        run: |
          if [ -z "${HF_TOKEN:-}" ]; then
            echo "::error::The secret HF_TOKEN is not set. Make a token with the role write, then: gh secret set HF_TOKEN"
            exit 1
          fi
)yaml";

constexpr const char* kSizeCheck = R"yaml(      - name: Look for large files outside LFS
        run: |
          large=$(git ls-files -z | while IFS= read -r -d '' file; do
            [ -f "$file" ] && [ "$(wc -c <"$file")" -gt 10485760 ] || continue
            [ "$(git check-attr filter -- "$file" | sed 's/.*: //')" = lfs ] || echo "$file"
          done)
          if [ -n "$large" ]; then
            echo "::error::The Hub takes files over 10 MB by Git LFS alone: $large. Remedy: git lfs migrate import --include='THE FILES' --everything"
            exit 1
          fi
)yaml";

constexpr const char* kApiPush = R"yaml(      - name: Install the client
        run: python3 -m pip install --quiet 'huggingface_hub>=2.4,<3'
      - name: Send what differs
        run: |
          python3 - <<'PYTHON'
          import os
          from huggingface_hub import HfApi
          kept = ["models/**", "program/**", "index/**", ".gitattributes"]
          left_out = [@LEFT_OUT@]
          api = HfApi(endpoint=os.environ["HF_ENDPOINT"])
          have = {path for path in api.list_repo_files(os.environ["SPACE"], repo_type="space")}
          here = {os.path.relpath(os.path.join(folder, name), ".") for folder, _, names in os.walk(".") for name in names}
          gone = [path for path in have - here if path != ".gitattributes" and path.split("/")[0] not in ("models", "program", "index")]
          made = api.upload_folder(repo_id=os.environ["SPACE"], repo_type="space", folder_path=".", ignore_patterns=left_out,
                                   delete_patterns=gone or None, commit_message=f"Sync {os.environ.get('GITHUB_SHA', 'by hand')[:12]}")
          print("The Space is at", made.oid)
          PYTHON
)yaml";

constexpr const char* kGitPush = R"yaml(      - name: Push
        run: |
          git config user.name "GitHub Actions"
          git config user.email "github-actions@github.com"
          remote="${HF_GIT_REMOTE:-$HF_ENDPOINT/spaces/$SPACE}"
          # The token reaches git by a helper, so that it stands in no address, log or process list.
          git -c credential.helper= \
              -c credential.helper='!f() { echo "username=${SPACE%%/*}"; echo "password=$HF_TOKEN"; }; f' \
              push --force "$remote" HEAD:main
)yaml";

constexpr const char* kWait = R"yaml(      - name: Wait until it runs
        run: |
          python3 - <<'PYTHON'
          import json, os, sys, time, urllib.request
          headers = {"Authorization": "Bearer " + os.environ["HF_TOKEN"]} if os.environ.get("HF_TOKEN") else {}
          url = f"{os.environ['HF_ENDPOINT']}/api/spaces/{os.environ['SPACE']}/runtime"
          shown, end = None, time.monotonic() + 2400
          time.sleep(float(os.environ.get("HF_SETTLE_SECONDS", "5")))
          while time.monotonic() < end:
              with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as reply:
                  runtime = json.load(reply)
              if runtime["stage"] != shown:
                  shown = runtime["stage"]
                  print(shown, flush=True)
              if shown in ("RUNNING", "SLEEPING"):
                  sys.exit(0)
              if shown not in ("BUILDING", "APP_STARTING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"):
                  sys.exit(f"::error::The Space does not run: {shown} {runtime.get('errorMessage', '')}")
              time.sleep(2)
          sys.exit("::error::The Space was not running after 40 minutes")
          PYTHON
)yaml";

std::string filled(std::string text, const std::string& name, const std::string& value) {
  const auto mark = fmt::format("@{}@", name);
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
    text.replace(at, mark.size(), value);
  return text;
}

// As huggingface_hub takes its patterns: the folder's content anywhere.
std::string python_patterns() {
  std::string list;
  for (const std::string pattern : hub::left_out()) {
    const auto one = pattern.ends_with('/') ? fmt::format("\"{0}**\", \"**/{0}**\"", pattern)
                                            : fmt::format("\"{0}\", \"**/{0}\"", pattern);
    list += (list.empty() ? "" : ", ") + one;
  }
  return list;
}

}  // namespace

std::string workflow_text(const Workflow& workflow) {
  auto text = std::string(kHead);
  text = filled(std::move(text), "PERMISSION", workflow.keyless ? "  id-token: write\n" : "");
  text = filled(std::move(text), "LOGIN",
                workflow.keyless ? "      HF_OIDC_RESOURCE: spaces/@SPACE@\n"
                                 : "      HF_TOKEN: ${{ secrets.HF_TOKEN }}\n");
  if (!workflow.keyless) text += kSecretCheck;
  if (workflow.git) text += kSizeCheck;
  text += workflow.git ? kGitPush : kApiPush;
  text += kWait;
  text = filled(std::move(text), "LEFT_OUT", python_patterns());
  text = filled(std::move(text), "SPACE", workflow.space.id);
  text = filled(std::move(text), "ENDPOINT", workflow.endpoint);
  return filled(std::move(text), "BRANCH", workflow.branch);
}

std::string fetching_dockerfile(const std::string& text, const std::string& url, const std::string& sha256) {
  std::istringstream lines(text);
  std::string whole;
  bool replaced = false;
  for (std::string line; std::getline(lines, line);) {
    const auto source = line.find(" program/ ");
    if (line.starts_with("COPY ") && source != std::string::npos) {
      line = fmt::format(R"(ADD {0} /tmp/program.tar.gz
RUN echo "{1}  /tmp/program.tar.gz" | sha256sum --check --quiet - \
 && mkdir -p {2} && tar -xzf /tmp/program.tar.gz --no-same-owner -C {2} && rm /tmp/program.tar.gz)",
                         url, sha256, line.substr(line.rfind(' ') + 1));
      replaced = true;
    }
    whole += line + "\n";
  }
  return replaced ? whole : std::string();
}

std::string with_left_out(const std::string& text) {
  auto whole = text;
  if (!whole.empty() && !whole.ends_with('\n')) whole += '\n';
  for (const std::string pattern : hub::left_out()) {
    if (pattern == ".git/" || pattern == ".github/")
      continue;  // git never lists the one, and needs the other
    std::istringstream lines(text);
    bool known = false;
    for (std::string line; std::getline(lines, line);) known = known || line == pattern;
    if (!known) whole += pattern + "\n";
  }
  return whole;
}

}  // namespace alcove::app
