#pragma once
// The files with which GitHub keeps a Space in step with a repository.

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

// `text` with the lines that are missing in it for what never goes to a Space; unchanged when none is.
std::string with_left_out(const std::string& text);

}  // namespace alcove::app
