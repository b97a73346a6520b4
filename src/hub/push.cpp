#include "hub/push.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <unordered_map>

#include "base/base64.h"
#include "hub/fields.h"
#include "hub/file_hash.h"
#include "hub/listing.h"
#include "hub/together.h"
#include "net/url.h"

namespace alcove::hub {
namespace {

constexpr std::size_t kPreuploadFiles = 256;  // the Hub's limits
constexpr std::size_t kCommitFiles = 250;
constexpr std::uint64_t kCommitBytes = 64u << 20;  // of files inside one commit
constexpr std::size_t kSampleBytes = 512;

struct Candidate {
  const LocalFile* file = nullptr;
  bool large = false, ignored = false;
  std::string remote, local;  // hashes of the kind the mode asks for
};

Result<std::string> read_file(const LocalFile& file, std::size_t most) {
  std::ifstream in(file.file, std::ios::binary);
  std::string text(std::min<std::uint64_t>(file.size, most), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (static_cast<std::size_t>(in.gcount()) != text.size())
    return fail(ErrorKind::NotFound,
                fmt::format("{} vanished or became shorter while it was read", file.file.string()));
  return text;
}

// How the Hub wants each file, and what it has under that path now.
Result<void> ask_modes(const Session& session, const Repo& repo, const Push& what,
                       std::vector<Candidate>& candidates) {
  const auto path = fmt::format("{}/preupload/{}", repo.api_path(), net::percent_encoded(what.revision));
  std::string attributes;
  for (const auto& file : what.files)
    if (file.path == ".gitattributes") attributes = TRY(read_file(file, file.size));
  std::unordered_map<std::string, Candidate*> by_path;
  for (auto& candidate : candidates) by_path[candidate.file->path] = &candidate;
  for (std::size_t start = 0; start < candidates.size(); start += kPreuploadFiles) {
    auto files = Json::array();
    const auto end = std::min(start + kPreuploadFiles, candidates.size());
    for (std::size_t i = start; i < end; ++i) {
      const auto& file = *candidates[i].file;
      files.push_back({{"path", file.path},
                       {"size", file.size},
                       {"sample", encode_base64(TRY(read_file(file, kSampleBytes)))}});
    }
    // A question, though it is a POST: it is asked in a rehearsal too.
    auto request = session.request("POST", path);
    request.headers.push_back({"Content-Type", "application/json"});
    Json question{{"files", std::move(files)}};
    // The rules that go up with the files are the ones they are to be judged by.
    if (!attributes.empty()) question["gitAttributes"] = attributes;
    request.body = to_text(question);
    request.repeatable = true;
    const auto about = session.about(repo);
    const auto reply = TRY(session.checked(request, about, {}));
    const auto answer = TRY(json_of(reply, about));
    for (const auto& entry : member(answer, "files")) {
      const auto found = by_path.find(text_or(entry, "path"));
      if (found == by_path.end()) continue;
      auto& candidate = *found->second;
      // S3 takes no empty object, so an empty file is always a small one.
      candidate.large = candidate.file->size > 0 && text_or(entry, "uploadMode") == "lfs";
      candidate.ignored = flag_or(entry, "shouldIgnore", false);
      candidate.remote = text_or(entry, "oid");
    }
  }
  return {};
}

Result<void> hash_all(std::vector<Candidate>& candidates, const std::stop_token& stop) {
  std::vector<Task> tasks;
  for (auto& candidate : candidates)
    tasks.push_back([&candidate](const std::stop_token&) -> Result<void> {
      const auto which = candidate.large ? Hashes::Sha256 : Hashes::GitSha1;
      const auto hash = TRY(hash_file(candidate.file->file, which));
      if (hash.size != candidate.file->size)
        return fail(ErrorKind::Unreadable,
                    fmt::format("{} changed its size; start again when nobody writes to it",
                                candidate.file->file.string()));
      candidate.local = candidate.large ? hash.sha256 : hash.git_sha1;
      return {};
    });
  return run_together(tasks, 2, stop);
}

// Lines of commits, each commit within the Hub's limits.
class Commits {
 public:
  explicit Commits(const Push& what) : what_(what) {}

  void add(const Json& line, std::uint64_t bytes) {
    if (bodies_.empty() || count_ >= kCommitFiles || bytes_ + bytes > kCommitBytes) begin();
    bodies_.back() += to_text(line) + "\n";
    ++count_;
    bytes_ += bytes;
  }
  const std::vector<std::string>& bodies() const { return bodies_; }

 private:
  void begin() {
    Json header{{"summary", what_.summary}, {"description", ""}};
    if (!bodies_.empty()) header["summary"] = fmt::format("{} (part {})", what_.summary, bodies_.size() + 1);
    if (bodies_.empty() && !what_.parent.empty()) header["parentCommit"] = what_.parent;
    bodies_.push_back(to_text({{"key", "header"}, {"value", std::move(header)}}) + "\n");
    count_ = 0;
    bytes_ = 0;
  }

  const Push& what_;
  std::vector<std::string> bodies_;
  std::size_t count_ = 0;
  std::uint64_t bytes_ = 0;
};

Result<Commits> write_commits(const Push& what, const std::vector<PushedFile>& changed) {
  Commits commits(what);
  for (const auto& path : what.removed) commits.add({{"key", "deletedFile"}, {"value", {{"path", path}}}}, 0);
  for (const auto& [file, hash, large] : changed) {
    if (large) {
      const Json value{{"path", file.path}, {"algo", "sha256"}, {"oid", hash}, {"size", file.size}};
      commits.add({{"key", "lfsFile"}, {"value", value}}, 0);
      continue;
    }
    const auto content = TRY(read_file(file, file.size));
    const Json value{{"path", file.path}, {"content", encode_base64(content)}, {"encoding", "base64"}};
    commits.add({{"key", "file"}, {"value", value}}, file.size);
  }
  return commits;
}

Result<std::string> send_commit(const Session& session, const Repo& repo, const Push& what,
                                const std::string& body) {
  auto request = session.request(
      "POST", fmt::format("{}/commit/{}", repo.api_path(), net::percent_encoded(what.revision)));
  request.headers.push_back({"Content-Type", "application/x-ndjson"});
  request.body = body;
  request.limits.total = std::chrono::minutes(5);
  const auto about = session.about(repo);
  const auto reply = TRY(session.checked(request, about, {}));
  const auto commit = text_or(TRY(json_of(reply, about)), "commitOid");
  if (!is_commit(commit))
    return fail(ErrorKind::Unavailable,
                fmt::format("{} took the commit to {} and does not name it", about.endpoint, repo.id),
                "no_hub");
  return commit;
}

}  // namespace

Result<PushPlan> compare(const Session& session, const Repo& repo, const Push& what) {
  std::vector<Candidate> candidates;
  for (const auto& file : what.files) candidates.push_back({.file = &file});
  TRY(ask_modes(session, repo, what, candidates));
  std::erase_if(candidates, [](const Candidate& candidate) { return candidate.ignored; });
  TRY(hash_all(candidates, what.stop));
  PushPlan plan;
  for (const auto& candidate : candidates) {
    if (candidate.local == candidate.remote)
      plan.unchanged.push_back(candidate.file->path);
    else
      plan.changed.push_back({*candidate.file, candidate.local, candidate.large});
  }
  return plan;
}

Result<Pushed> send(const Session& session, const Repo& repo, const Push& what, const PushPlan& plan) {
  std::vector<LargeFile> large;
  for (const auto& file : plan.changed)
    if (file.large) large.push_back({file.local, file.hash});
  TRY(store_large_files(session, repo, large, what.progress, what.stop));
  Pushed pushed;
  const auto commits = TRY(write_commits(what, plan.changed));
  for (const auto& body : commits.bodies()) pushed.commit = TRY(send_commit(session, repo, what, body));
  pushed.commits = commits.bodies().size();
  if (pushed.commits == 0) pushed.commit = TRY(commit_of(session, repo, what.revision));
  return pushed;
}

}  // namespace alcove::hub
