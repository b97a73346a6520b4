#include "app/finder_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/log.h"
#include "hub/fetch.h"

namespace alcove::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModel = "allenai/specter2_base";
constexpr const char* kAdapter = "allenai/specter2";
constexpr const char* kQueryAdapter = "allenai/specter2_adhoc_query";
// One of these is there when a model, or an adapter, is.
constexpr std::array kKeyFiles{"pytorch_model.bin",
                               "model.safetensors",
                               "pytorch_model.bin.index.json",
                               "model.safetensors.index.json",
                               "pytorch_adapter.bin",
                               "adapter.safetensors"};

void tell(std::string message) { log(LogLevel::Info, "startup", {{"message", std::move(message)}}); }

bool is_key_file(const fs::path& file) {
  return std::ranges::find(kKeyFiles, file.filename().string()) != kKeyFiles.end();
}

bool has_key_file(const fs::path& folder) {
  std::error_code unreadable;
  return std::ranges::any_of(kKeyFiles,
                             [&](const char* name) { return fs::exists(folder / name, unreadable); });
}

// A folder that is filled from a repository.
struct Part {
  std::string repo;
  fs::path folder;
};

// One model with its adapters: where each lies, and which of them come from the Hub.
struct Plan {
  PapersOptions folders;
  std::vector<Part> parts;
};

// The folder a name stands for; a repository's is `folder`, and it joins the parts.
std::string folder_of(const std::string& name, const fs::path& folder, std::vector<Part>& parts) {
  std::error_code unreadable;
  if (name.empty() || fs::is_directory(name, unreadable)) return name;
  parts.push_back({name, folder});
  return folder.string();
}

Plan plan_of(PapersOptions options, const fs::path& weights) {
  if (options.model.empty()) {
    options.model = kModel;
    if (options.adapter.empty()) options.adapter = kAdapter;
    if (options.query_adapter.empty()) options.query_adapter = kQueryAdapter;
  }
  Plan plan{.folders = options, .parts = {}};
  plan.folders.model = folder_of(options.model, weights, plan.parts);
  plan.folders.adapter = folder_of(options.adapter, weights / "adapters" / "paper", plan.parts);
  plan.folders.query_adapter = folder_of(options.query_adapter, weights / "adapters" / "query", plan.parts);
  return plan;
}

// Of one weight in several formats one is enough; other programs' formats are of no use here.
Result<hub::Patterns> wanted_files(const hub::Session& session, const hub::Repo& repo) {
  hub::Patterns patterns{.allow = {"*.json", "*.txt", "*.bin", "*.safetensors"},
                         .ignore = {"onnx/*", "openvino/*", "training_args.bin", "optimizer.bin"}};
  const auto commit = TRY(hub::commit_of(session, repo, "main"));
  const auto files = TRY(hub::list_files(session, repo, commit));
  if (std::ranges::any_of(files, [](const auto& file) { return file.path.ends_with(".safetensors"); }))
    patterns.ignore.emplace_back("*.bin");
  return patterns;
}

// Without a second copy where the disk can do that; under its name when it is whole.
Result<void> place(const fs::path& from, const fs::path& to) {
  const auto part = fs::path(to.string() + ".part");
  std::error_code failure;
  fs::create_directories(to.parent_path(), failure);
  fs::remove(part, failure);
  fs::create_hard_link(from, part, failure);
  if (failure) fs::copy_file(from, part, fs::copy_options::overwrite_existing, failure);
  if (!failure) fs::rename(part, to, failure);
  if (!failure) return {};
  return fail(ErrorKind::Unavailable,
              fmt::format("{} cannot be written: {}", to.string(), failure.message()));
}

// Key files come last: while they are missing, everybody knows that the folder is not whole.
Result<void> move_into_place(const fs::path& snapshot, const fs::path& folder) {
  std::error_code failure;
  for (const auto* name : kKeyFiles) fs::remove(folder / name, failure);
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(snapshot, failure))
    if (entry.is_regular_file(failure)) files.push_back(entry.path());
  std::ranges::stable_partition(files, [](const auto& file) { return !is_key_file(file); });
  for (const auto& file : files)
    TRY(place(fs::canonical(file, failure), folder / file.lexically_relative(snapshot)));
  return {};
}

Result<void> fetch(const Part& part, const fs::path& downloads) {
  auto settings = TRY(hub::read_settings(hub::process_environment()));
  settings.cache = downloads;
  const hub::Session session(std::move(settings));
  const auto repo = hub::parse_repo(part.repo, hub::RepoKind::Model);
  if (!repo)
    return fail(ErrorKind::NotFound,
                fmt::format("{} is neither a folder nor a repository of the Hub's", part.repo));
  tell(fmt::format("Downloading model '{}'...", part.repo));
  const auto patterns = TRY(wanted_files(session, *repo));
  const auto snapshot = TRY(hub::fetch_snapshot(session, *repo, "main", patterns));
  tell(fmt::format("Saving model to {}...", part.folder.string()));
  return move_into_place(snapshot.folder, part.folder);
}

// What was fetched before an error stays in `downloads`, for the next start to go on from.
Result<void> fetch_all(const std::vector<Part>& parts, const fs::path& downloads) {
  for (const auto& part : parts) TRY(fetch(part, downloads));
  std::error_code ignored;
  fs::remove_all(downloads, ignored);
  tell("Model downloaded and saved successfully.");
  return {};
}

// Compiled before it is needed, so that the first search by meaning is as quick as the others.
Result<std::shared_ptr<papers::Embedder>> load_and_prepare(const PapersOptions& options) {
  auto embedder = TRY(load_model(options));
  if (embedder) TRY(embedder->prepare(papers::Purpose::Query));
  return embedder;
}

Result<std::shared_ptr<papers::Embedder>> load_here(const PapersOptions& options) {
  tell(fmt::format("Attempting to load model from local path: {}", options.model));
  auto loaded = load_and_prepare(options);
  if (loaded) tell("Model loaded successfully from local storage.");
  return loaded;
}

// From the storage folder, repaired as far as it needs to be.
Result<std::shared_ptr<papers::Embedder>> load_plan(const Plan& plan, const fs::path& downloads) {
  std::vector<Part> missing;
  std::ranges::copy_if(plan.parts, std::back_inserter(missing),
                       [](const Part& part) { return !has_key_file(part.folder); });
  if (!missing.empty()) {
    TRY(fetch_all(missing, downloads));
    if (missing.size() == plan.parts.size()) return load_and_prepare(plan.folders);
  }
  auto loaded = load_here(plan.folders);
  if (loaded || plan.parts.empty()) return loaded;
  tell(fmt::format("Failed to load model locally ({}). Will attempt download.", loaded.error().message));
  TRY(fetch_all(plan.parts, downloads));
  return load_and_prepare(plan.folders);
}

}  // namespace

Result<std::shared_ptr<papers::Embedder>> load_or_fetch_model(const PapersOptions& options,
                                                              const fs::path& weights) {
  if (options.model == "none") return std::shared_ptr<papers::Embedder>();
  const bool is_free = options.model.empty() && !has_key_file(weights);
  // A folder that an import noted may be gone; then the Hub's model is as good as none.
  if (is_free)
    if (auto noted = load_and_prepare(options); noted && *noted) {
      tell("Model of the last import loaded successfully.");
      return noted;
    }
  const auto plan = plan_of(options, weights);
  auto loaded = load_plan(plan, weights.string() + ".download");
  if (!loaded)
    log(LogLevel::Error, "startup",
        {{"message",
          fmt::format("FATAL: Failed to load, download or save model '{}': {}. Search by words goes on.",
                      options.model.empty() ? kModel : options.model, loaded.error().message)}});
  return loaded;
}

}  // namespace alcove::app
