// alcove space workflow: the files with which GitHub keeps a Space in step with a repository.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <sstream>

#include "app/exit_code.h"
#include "app/space_commands.h"
#include "app/workflow_text.h"
#include "hub/cache.h"
#include "hub/settings.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

struct WorkflowOptions {
  std::string space, folder = ".", branch = "main";
  bool git = false, keyless = false, force = false;
};

std::string text_of_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// "owner/name" of the repository on GitHub, from git's own settings; empty when it is not there.
std::string github_name(const fs::path& folder) {
  std::istringstream lines(text_of_file(folder / ".git" / "config"));
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find("github.com");
    if (at == std::string::npos || line.find("url") == std::string::npos) continue;
    auto name = line.substr(at + std::string_view("github.com").size() + 1);
    if (name.ends_with(".git")) name.resize(name.size() - 4);
    return name;
  }
  return {};
}

Result<void> write_workflow(const WorkflowOptions& options) {
  const auto settings = TRY(hub::read_settings([](const char* name) -> std::optional<std::string> {
    return std::string_view(name) == "HF_ENDPOINT" ? hub::process_environment()(name) : std::nullopt;
  }));
  const Workflow workflow{.space = TRY(hub::parse_repo(options.space, hub::RepoKind::Space)),
                          .endpoint = settings.endpoint,
                          .branch = options.branch,
                          .git = options.git,
                          .keyless = options.keyless};
  if (options.git && options.keyless)
    return fail(ErrorKind::BadInput, "git needs a token of its own: leave --keyless out, or --git");
  const fs::path folder = options.folder;
  const auto path = folder / ".github" / "workflows" / "sync_to_hf_space.yml";
  const auto text = workflow_text(workflow);
  const auto before = text_of_file(path);
  if (!before.empty() && before != text && !options.force)
    return fail(ErrorKind::BadInput,
                fmt::format("{} is there and differs; --force replaces it", path.string()));
  TRY(hub::write_whole(path, text));
  const auto ignore = folder / ".gitignore";
  const auto ignored = text_of_file(ignore);
  if (const auto wanted = with_left_out(ignored); wanted != ignored) TRY(hub::write_whole(ignore, wanted));

  const auto github = github_name(folder);
  fmt::print("{}\n{}\n", path.string(), ignore.string());
  if (!options.keyless)
    fmt::print("next      gh secret set HF_TOKEN{}\n", github.empty() ? "" : " --repo " + github);
  else
    fmt::print("next      let this repository in at {}/spaces/{}/settings (trusted publishers)\n",
               settings.endpoint, options.space);
  fmt::print("          git add .github .gitignore && git commit -m 'Sync to the Space' && git push\n");
  fmt::print("watch     https://github.com/{}/actions\n", github.empty() ? "OWNER/NAME" : github);
  return {};
}

}  // namespace

void add_space_workflow(CLI::App& command, Run& run) {
  auto options = std::make_shared<WorkflowOptions>();
  auto* sub = command.add_subcommand(
      "workflow", "Write the GitHub workflow that keeps the Space in step, and a .gitignore");
  sub->add_option("SPACE", options->space, "OWNER/NAME")->required();
  sub->add_option("--folder", options->folder, "the repository here")->capture_default_str();
  sub->add_option("--branch", options->branch, "whose pushes count")->capture_default_str();
  sub->add_flag("--git", options->git, "a force push instead of the Hub's API");
  sub->add_flag("--keyless", options->keyless, "the job's own identity instead of the secret HF_TOKEN");
  sub->add_flag("--force", options->force, "replace a workflow that differs");
  sub->callback([=, &run] {
    run = [=] {
      const auto done = write_workflow(*options);
      return done ? kDone : report(done.error());
    };
  });
}

}  // namespace alcove::app
