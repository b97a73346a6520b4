#include "app/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "hub/readme.h"

namespace alcove::app {
namespace {

using Found = std::optional<Finding>;

Found fault(std::string what, std::string fix) {
  return Finding{{}, Severity::Fault, std::move(what), std::move(fix)};
}
Found warning(std::string what, std::string fix) {
  return Finding{{}, Severity::Warning, std::move(what), std::move(fix)};
}

bool contains(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

bool is_weights(std::string_view path) {
  for (const char* end : {".pt", ".pth", ".bin", ".safetensors", ".onnx"})
    if (path.ends_with(end)) return true;
  return false;
}
bool reads_sheets(const Facts& facts) { return contains(facts.dockerfile, "answer-sheet"); }
bool finds_papers(const Facts& facts) { return contains(facts.dockerfile, "paper-finder"); }

bool has_file(const Facts& facts, std::string_view path) {
  return std::ranges::any_of(facts.files, [&](const auto& file) { return file.path == path; });
}

// A field of the README's first lines, which the Hub reads its settings from.
std::optional<std::string> front_matter(const Facts& facts, std::string_view key) {
  return hub::front_matter(facts.readme, key);
}

// The port the application says it listens on, from EXPOSE, or PORT, of its Dockerfile.
std::optional<int> port_of(const Facts& facts) {
  std::optional<int> port;
  std::istringstream lines(facts.dockerfile);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("EXPOSE ")) return std::atoi(line.c_str() + 7);
    if (const auto at = line.find("PORT="); line.starts_with("ENV ") && at != std::string::npos)
      port = std::atoi(line.c_str() + at + 5);
  }
  return port;
}

const hub::LogLine* line_with(const std::vector<hub::LogLine>& log,
                              std::initializer_list<const char*> words) {
  for (auto line = log.rbegin(); line != log.rend(); ++line)
    for (const char* word : words)
      if (contains(line->text, word)) return &*line;
  return nullptr;
}

// ---- the checks

Found token_missing(const Facts& facts) {
  if (facts.has_token) return {};
  return fault("there is no token",
               "make one with the role write at https://huggingface.co/settings/tokens and set HF_TOKEN");
}
Found token_rejected(const Facts& facts) {
  if (!facts.has_token || !facts.account_trouble) return {};
  return fault("the token is not accepted", facts.account_trouble->message);
}
Found token_read_only(const Facts& facts) {
  if (facts.account.role != "read") return {};
  return fault(fmt::format("the token of {} may only read", facts.account.name),
               "make one with the role write: pushing, restarting and secrets need it");
}
Found space_missing(const Facts& facts) {
  if (!facts.space_trouble) return {};
  return fault(fmt::format("{} cannot be looked at", facts.space), facts.space_trouble->message);
}
Found plan_missing(const Facts& facts) {
  const auto& hardware = facts.info.runtime.requested_hardware;
  if (facts.account.name.empty() || facts.account.paid ||
      !facts.space.starts_with(facts.account.name + "/") || hardware.empty() || hardware != "cpu-basic")
    return {};
  return warning(
      fmt::format("{} has no paid plan, which Docker Spaces take even on free hardware", facts.account.name),
      "https://huggingface.co/pricing; without it a push may be refused with 402");
}
Found config_error(const Facts& facts) {
  if (facts.info.runtime.stage != "CONFIG_ERROR" && (facts.readme.empty() || front_matter(facts, "sdk")))
    return {};
  return fault("README.md does not say what the Space is: " + facts.info.runtime.error,
               "its first lines must be ---, sdk: docker, app_port: 7860, ---");
}
Found dockerfile_not_at_root(const Facts& facts) {
  if (facts.files.empty() || has_file(facts, "Dockerfile")) return {};
  const auto elsewhere =
      std::ranges::find_if(facts.files, [](const auto& file) { return file.path.ends_with("/Dockerfile"); });
  if (elsewhere == facts.files.end()) return {};
  return fault(fmt::format("the Dockerfile lies at {}, and the Hub looks at the root only", elsewhere->path),
               fmt::format("push that folder: alcove space push {} {}", facts.space,
                           elsewhere->path.substr(0, elsewhere->path.rfind('/'))));
}
Found no_app_file(const Facts& facts) {
  if (facts.files.empty() || has_file(facts, "Dockerfile") || dockerfile_not_at_root(facts)) return {};
  return fault("there is no Dockerfile", "alcove space new uploads one; or push a folder that has it");
}
Found program_missing(const Facts& facts) {
  if (!contains(facts.dockerfile, " program/ ") || has_file(facts, "program/alcove")) return {};
  return fault("the Dockerfile copies program/, and the program is not there",
               "alcove space new sends it along; run it once more with the same names");
}
Found build_failed(const Facts& facts) {
  if (facts.info.runtime.stage != "BUILD_ERROR") return {};
  const auto step = hub::failed_step(facts.build_log);
  return fault("the build failed" + (step.empty() ? "" : " at " + step), "mend that step and push again");
}
Found out_of_memory(const Facts& facts) {
  const bool said =
      contains(facts.info.runtime.error, "OOM") || contains(facts.info.runtime.error, "emory limit") ||
      contains(facts.info.runtime.error, "137") ||
      line_with(facts.run_log, {"Out of memory", "out of memory", "OOMKilled", "std::bad_alloc"});
  if (!said) return {};
  const auto now =
      std::ranges::find(facts.hardware, facts.info.runtime.requested_hardware, &hub::Hardware::name);
  const auto next = now == facts.hardware.end() ? now : now + 1;
  return fault(fmt::format("it ran out of memory on {}", facts.info.runtime.requested_hardware),
               next == facts.hardware.end()
                   ? std::string("choose hardware with more memory")
                   : fmt::format("alcove space hardware {} {} ({} of memory, ${:.2f} per hour)", facts.space,
                                 next->name, next->memory, next->dollars_per_hour));
}
Found runtime_error(const Facts& facts) {
  if (facts.info.runtime.stage != "RUNTIME_ERROR" || out_of_memory(facts)) return {};
  const auto last = facts.run_log.empty() ? std::string() : ", its last words: " + facts.run_log.back().text;
  return fault("the application ended: " + facts.info.runtime.error + last,
               "alcove space logs " + facts.space);
}
Found weights_missing(const Facts& facts) {
  const bool said = line_with(facts.run_log, {"weights not found"});
  const bool any = std::ranges::any_of(facts.files, [](const auto& file) { return is_weights(file.path); });
  if (facts.files.empty() || (!said && (any || !reads_sheets(facts)))) return {};
  return fault("the model weights are not there",
               fmt::format("alcove space push {} FOLDER --models DIR", facts.space));
}
Found weights_pointers(const Facts& facts) {
  if (facts.pointers.empty()) return {};
  return fault(fmt::format("{} is a pointer of Git LFS instead of weights", facts.pointers.front()),
               "fetch them here with `git lfs pull`, then alcove space push with --models");
}
Found weights_differ(const Facts& facts) {
  for (const auto& local : facts.local_weights) {
    const auto there = std::ranges::find(facts.files, local.path, &hub::RepoFile::path);
    if (there == facts.files.end())
      return fault(fmt::format("{} is here and not on the Space", local.path),
                   "alcove space push with --models");
    if (there->size != local.size || (!there->sha256.empty() && there->sha256 != local.sha256))
      return fault(fmt::format("{} has {} bytes here and {} there, or another content", local.path,
                               local.size, there->size),
                   "alcove space push with --models sends the one from here");
  }
  return {};
}
Found wrong_port(const Facts& facts) {
  const auto port = port_of(facts);
  const auto declared = front_matter(facts, "app_port");
  const int expected = declared ? std::atoi(declared->c_str()) : 7860;
  if (!port || facts.readme.empty() || *port == expected) return {};
  return fault(fmt::format("the application listens on {} and the Hub asks at {}", *port, expected),
               fmt::format("write app_port: {} into the README's first lines", *port));
}
Found paused(const Facts& facts) {
  if (facts.info.runtime.stage != "PAUSED") return {};
  return fault("it is paused", "alcove space restart " + facts.space);
}
Found asleep(const Facts& facts) {
  if (!facts.woke_after_seconds && !hub::wakes_on_visit(facts.info.runtime.stage)) return {};
  const auto time =
      facts.woke_after_seconds ? fmt::format("; waking took {:.0f} s", *facts.woke_after_seconds) : "";
  return warning("it was asleep" + time,
                 "the first request after a pause waits that long; paid hardware can stay awake "
                 "(alcove space hardware --sleep never)");
}
Found not_answering(const Facts& facts) {
  if (facts.info.runtime.stage != "RUNNING") return {};
  if (facts.app_status / 100 == 2 && contains(facts.app_type, "json")) return {};
  return fault(
      facts.app_status == 0
          ? "it runs and does not answer"
          : fmt::format("it runs and answers with status {} ({})", facts.app_status, facts.app_type),
      "look at alcove space logs; an application has to listen on 0.0.0.0 and at the README's app_port");
}
Found log_errors(const Facts& facts) {
  if (facts.info.runtime.stage != "RUNNING") return {};
  const auto* line =
      line_with(facts.run_log, {"\"level\":\"error\"", " error ", "ERROR", "Traceback", "FATAL", "panic:"});
  if (!line) return {};
  return warning("its log has an error: " + line->text, "alcove space logs " + facts.space);
}
Found no_volume(const Facts& facts) {
  if (!finds_papers(facts) || !facts.info.runtime.volumes.empty()) return {};
  return warning(
      "it has no volume, so the next restart empties its index",
      fmt::format("alcove space volume set {} bucket:OWNER/NAME:/data, or ship an index: push --index DIR",
                  facts.space));
}
const hub::Hardware* hardware_of(const Facts& facts) {
  const auto now =
      std::ranges::find(facts.hardware, facts.info.runtime.requested_hardware, &hub::Hardware::name);
  return now == facts.hardware.end() ? nullptr : &*now;
}
Found gpu_without_use(const Facts& facts) {
  const auto* now = hardware_of(facts);
  if (!now || !now->gpu || facts.dockerfile.empty() || uses_gpu(facts.dockerfile)) return {};
  return warning(fmt::format("{} has a GPU (${:.2f} per hour) and this build uses none", now->name,
                             now->dollars_per_hour),
                 fmt::format("alcove space hardware {} cpu-upgrade", facts.space));
}
Found use_without_gpu(const Facts& facts) {
  const auto* now = hardware_of(facts);
  if (!now || now->gpu || !uses_gpu(facts.dockerfile)) return {};
  const auto gpu = std::ranges::find_if(facts.hardware, &hub::Hardware::gpu);
  const auto least = gpu == facts.hardware.end()
                         ? std::string("hardware with a GPU")
                         : fmt::format("{} (${:.2f} per hour)", gpu->name, gpu->dollars_per_hour);
  return warning(
      fmt::format("this build is for a GPU and {} has none, so it reads on the CPU out of a large image",
                  now->name),
      fmt::format("alcove space hardware {} NAME, such as {}; or alcove space new for a CPU build",
                  facts.space, least));
}
Found open_to_everybody(const Facts& facts) {
  if (!facts.secrets || facts.info.is_private || !reads_sheets(facts)) return {};
  if (std::ranges::find(*facts.secrets, "ALCOVE_TOKEN") != facts.secrets->end()) return {};
  return warning("it is public and has no ALCOVE_TOKEN: everybody may send it sheets",
                 fmt::format("ALCOVE_TOKEN=… alcove space secret set {} ALCOVE_TOKEN", facts.space));
}
Found page_address(const Facts& facts) {
  if (!facts.space_url || !contains(*facts.space_url, "/spaces/")) return {};
  return fault("HF_SPACE_URL is the address of the Space's page, not of the Space",
               "HF_SPACE_URL=" + facts.info.host);
}
Found other_address(const Facts& facts) {
  if (!facts.space_url || facts.space_url->empty() || page_address(facts) || facts.info.host.empty())
    return {};
  auto given = *facts.space_url;
  while (given.ends_with('/')) given.pop_back();
  if (given == facts.info.host) return {};
  return fault(fmt::format("HF_SPACE_URL is {}, which is not this Space", given),
               "HF_SPACE_URL=" + facts.info.host);
}
Found variable_not_set(const Facts& facts) {
  if (!facts.gateway_mode || *facts.gateway_mode == "remote") return {};
  return fault(fmt::format("the gateway works in mode {}: it does not know the Space", *facts.gateway_mode),
               "set HF_SPACE_URL=" + facts.info.host + " where it runs, and start it anew");
}
Found clock_skew(const Facts& facts) {
  if (!facts.clock_skew_seconds || std::abs(*facts.clock_skew_seconds) < 60) return {};
  return warning(
      fmt::format("this machine's clock is {:.0f} s {} the Hub's", std::abs(*facts.clock_skew_seconds),
                  *facts.clock_skew_seconds > 0 ? "ahead of" : "behind"),
      "set the clock: signed addresses are refused at the wrong time");
}
Found env_file(const Facts& facts) {
  if (facts.env_findings.empty()) return {};
  return fault(fmt::format("a committed file holds a setting in plain text: {}", facts.env_findings.front()),
               "take it out of git, make another token, and set the variable where the program runs");
}

struct Check {
  const char* code;
  Found (*look)(const Facts&);
};
constexpr Check kChecks[] = {
    {"token_missing", token_missing},
    {"token_rejected", token_rejected},
    {"token_read_only", token_read_only},
    {"space_missing", space_missing},
    {"plan_missing", plan_missing},
    {"config_error", config_error},
    {"dockerfile_not_at_root", dockerfile_not_at_root},
    {"no_app_file", no_app_file},
    {"program_missing", program_missing},
    {"build_failed", build_failed},
    {"weights_missing", weights_missing},
    {"weights_pointers", weights_pointers},
    {"weights_differ", weights_differ},
    {"out_of_memory", out_of_memory},
    {"runtime_error", runtime_error},
    {"wrong_port", wrong_port},
    {"paused", paused},
    {"asleep", asleep},
    {"not_answering", not_answering},
    {"log_errors", log_errors},
    {"no_volume", no_volume},
    {"gpu_without_use", gpu_without_use},
    {"use_without_gpu", use_without_gpu},
    {"open_to_everybody", open_to_everybody},
    {"page_address", page_address},
    {"other_address", other_address},
    {"variable_not_set", variable_not_set},
    {"clock_skew", clock_skew},
    {"env_file", env_file},
};

}  // namespace

bool uses_gpu(const std::string& dockerfile) {
  return contains(dockerfile, "cuda") || contains(dockerfile, "nvidia");
}

std::vector<Finding> diagnose(const Facts& facts) {
  std::vector<Finding> findings;
  for (const auto& check : kChecks)
    if (auto found = check.look(facts)) {
      found->code = check.code;
      findings.push_back(*std::move(found));
    }
  return findings;
}

std::vector<std::string> hard_coded(const std::string& text) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string::npos) continue;
    auto value = line.substr(equals + 1);
    value.erase(0, value.find_first_not_of(" \"'"));
    const bool token = value.starts_with("hf_") && value.size() > 8;
    if (token || contains(value, ".hf.space") || contains(value, "huggingface.co/spaces/"))
      found.push_back(fmt::format("{}: {}", number, line.substr(0, equals)));
  }
  return found;
}

}  // namespace alcove::app
