#pragma once
// What is wrong with a Space, from what could be found out about it: facts in, findings out.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/findings.h"
#include "hub/listing.h"
#include "hub/space_log.h"

namespace alcove::app {

struct LocalWeights {
  std::string path;  // in the repository
  std::uint64_t size = 0;
  std::string sha256;
};

// Whatever could not be found out stays empty, and is then no fault.
struct Facts {
  std::string space;
  bool has_token = false;
  std::optional<Error> account_trouble;
  hub::Account account;

  std::optional<Error> space_trouble;
  hub::SpaceInfo info;
  std::vector<hub::Hardware> hardware;
  std::optional<std::vector<std::string>> secrets;

  std::vector<hub::RepoFile> files;
  std::string dockerfile, readme;
  std::vector<std::string> pointers;  // files of the repository that hold a pointer where weights should be
  std::vector<LocalWeights> local_weights;

  std::vector<hub::LogLine> build_log, run_log;
  std::optional<double> clock_skew_seconds;  // this machine's clock ahead of the Hub's
  std::optional<double> woke_after_seconds;  // it was asleep and was woken
  int app_status = 0;                        // of its /health; 0: no answer
  std::string app_type;

  std::optional<std::string> space_url;     // HF_SPACE_URL
  std::optional<std::string> gateway_mode;  // what a gateway's status says: remote, local, …
  std::vector<std::string> env_findings;    // ".env:3: HF_TOKEN"
};

bool uses_gpu(const std::string& dockerfile);  // a build for NVIDIA GPUs, ours or somebody's

// In the order in which they should be mended.
std::vector<Finding> diagnose(const Facts& facts);

// Lines of a file of variables that hold a token or the Space's address in plain text: "3: HF_TOKEN".
std::vector<std::string> hard_coded(const std::string& text);

}  // namespace alcove::app
