#pragma once
// Texts of files that go to GitHub or the Hub.

#include <string>

#include "hub/repo.h"

namespace alcove::app {

struct Workflow {
  hub::Repo space;
  std::string endpoint;  // of the Hub
  std::string branch = "main";
  bool git = false;      // a force push instead of the Hub's API
  bool keyless = false;  // the job's own identity instead of a secret; not with git
};

// .github/workflows/sync_to_hf_space.yml. Every job ends green only when the Space runs.
std::string workflow_text(const Workflow& workflow);

// The Dockerfile with its line `COPY … program/ FOLDER` replaced by lines that fetch the .tar.gz at `url`,
// see to its digest and unpack it there. Empty when there is no such line.
std::string fetching_dockerfile(const std::string& text, const std::string& url, const std::string& sha256);

// `text` with the lines that are missing in it for what never goes to a Space; unchanged when none is.
std::string with_left_out(const std::string& text);

}  // namespace alcove::app
