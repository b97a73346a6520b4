// fetch_snapshot: the listing, then each file.
#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "hub/cache.h"
#include "hub/fetch.h"
#include "hub/fields.h"
#include "hub/together.h"

namespace alcove::hub {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAtOnce = 8;

std::string tree_text(const std::vector<RepoFile>& files) {
  Json listed = Json::object();
  for (const auto& file : files) {
    Json entry{{"size", file.size}, {"blob_id", file.blob_id}};
    if (!file.sha256.empty()) {
      entry["lfs_sha256"] = file.sha256;
      entry["lfs_size"] = file.size;
    }
    listed[file.path] = std::move(entry);
  }
  return to_text({{"format_version", 1}, {"files", std::move(listed)}});
}

// The listing an earlier run, ours or another client's, left behind.
std::optional<std::vector<RepoFile>> remembered_tree(const RepoCache& cache, const std::string& commit) {
  std::ifstream in(cache.tree(commit));
  if (!in) return std::nullopt;
  std::stringstream text;
  text << in.rdbuf();
  const auto json = parse_json(text.str());
  if (!json || member(*json, "format_version") != Json(1)) return std::nullopt;
  std::vector<RepoFile> files;
  for (const auto& [path, entry] : member(*json, "files").items()) {
    if (!check_path(path)) return std::nullopt;
    files.push_back(
        {path, size_or_zero(entry, "size"), text_or(entry, "blob_id"), text_or(entry, "lfs_sha256")});
  }
  return files;
}

Result<std::vector<RepoFile>> files_of(const Session& session, const Repo& repo, const RepoCache& cache,
                                       const std::string& commit) {
  if (auto files = remembered_tree(cache, commit)) return *std::move(files);
  auto files = TRY(list_files(session, repo, commit));
  cache.remember_tree(commit, tree_text(files));
  return files;
}

// When the Hub cannot be asked: the folder as it is, if nothing that belongs to it is known to be missing.
Result<Snapshot> cached_snapshot(const RepoCache& cache, const Repo& repo, const std::string& revision,
                                 const Patterns& patterns, const Error& why) {
  const auto commit = cache.commit_of(revision);
  std::error_code failed;
  if (!commit || !fs::is_directory(cache.snapshot(*commit), failed)) return std::unexpected(why);
  Snapshot snapshot{.folder = cache.snapshot(*commit), .commit = *commit};
  for (const auto& file : remembered_tree(cache, *commit).value_or(std::vector<RepoFile>())) {
    if (!patterns.wants(file.path)) continue;
    if (!cache.find(*commit, file.path))
      return fail(
          ErrorKind::Unavailable,
          fmt::format("the cached {} is incomplete: {} is missing; {}", repo.id, file.path, why.message),
          "incomplete");
    ++snapshot.files;
    snapshot.bytes += file.size;
  }
  return snapshot;
}

// All of them at once, so that the time that is left is that of the whole.
void announce(const RepoCache& cache, const std::string& commit, const std::vector<RepoFile>& files,
              const FetchOptions& options) {
  for (const auto& file : files) {
    if (!options.progress || cache.find(commit, file.path)) continue;
    std::error_code failed;
    const auto before = fs::file_size(cache.part(file.sha256.empty() ? file.blob_id : file.sha256), failed);
    options.progress(file.path, failed ? 0 : before, file.size);
  }
}

Result<void> fetch_all(const Session& session, const Repo& repo, const std::string& commit,
                       const std::vector<RepoFile>& files, const FetchOptions& options) {
  announce(RepoCache(session.settings().cache, repo), commit, files, options);
  std::vector<Task> tasks;
  for (const auto& file : files)
    tasks.push_back([&](const std::stop_token& stop) -> Result<void> {
      TRY(fetch_file(session, repo, commit, file.path, {.progress = options.progress, .stop = stop}));
      return {};
    });
  return run_together(tasks, kAtOnce, options.stop);
}

}  // namespace

Result<Snapshot> fetch_snapshot(const Session& session, const Repo& repo, const std::string& revision,
                                const Patterns& patterns, const FetchOptions& options) {
  const RepoCache cache(session.settings().cache, repo);
  // Patience is for those who have nothing yet.
  const net::RetryRule rule{.tries = cache.commit_of(revision) ? 1 : 5};
  const auto commit = commit_of(session, repo, revision, rule);
  if (!commit) {
    const auto kind = commit.error().kind;
    if (kind != ErrorKind::Unavailable && kind != ErrorKind::Overloaded)
      return std::unexpected(commit.error());
    return cached_snapshot(cache, repo, revision, patterns, commit.error());
  }
  auto files = TRY(files_of(session, repo, cache, *commit));
  std::erase_if(files, [&](const RepoFile& file) { return !patterns.wants(file.path); });
  Snapshot snapshot{.folder = cache.snapshot(*commit), .commit = *commit, .files = files.size()};
  for (const auto& file : files) snapshot.bytes += file.size;
  cache.remember_revision(revision, *commit);
  TRY(fetch_all(session, repo, *commit, files, options));
  return snapshot;
}

}  // namespace alcove::hub
