#include "hub/fetch.h"

#include <fmt/format.h>

#include <charconv>

#include "hub/cache.h"
#include "hub/file_hash.h"
#include "net/download.h"
#include "net/url.h"

namespace alcove::hub {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr net::Limits kMetadataLimits{.connect = seconds(10), .total = seconds(30)};
// A large file may take hours; a connection that says nothing for a minute is dead.
constexpr net::Limits kContentLimits{.connect = seconds(10), .total = seconds(0), .silence = seconds(60)};

struct Wanted {
  const Session& session;
  const Repo& repo;
  const std::string& revision;
  const std::string& path;
  const FetchOptions& options;

  std::string address() const {
    return fmt::format("{}/resolve/{}/{}", repo.page_path(), net::percent_encoded(revision),
                       net::percent_encoded(path, true));
  }
  About about() const {
    auto about = session.about(repo);
    about.revision = revision;
    about.path = path;
    return about;
  }
  net::Request request(const char* method) const {
    auto request = session.request(method, address());
    request.headers.push_back({"X-HF-Download-Counter", "1"});
    request.headers.push_back({"Accept-Encoding", "identity"});
    request.stop = options.stop;
    return request;
  }
};

// What the Hub says a file is.
struct Metadata {
  std::string commit, etag;
  std::optional<std::uint64_t> size;
};

std::optional<std::uint64_t> number_of(std::optional<std::string_view> text) {
  std::uint64_t value = 0;
  if (!text) return std::nullopt;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (failed != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

std::string plain_etag(std::string_view text) {
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return std::string(text);
}

// The etag becomes a file name, so nothing else than the two hashes the Hub uses is taken for one.
Result<Metadata> metadata_of(const net::Reply& reply, const About& about) {
  Metadata metadata{
      .commit = std::string(reply.header("x-repo-commit").value_or("")),
      .etag = plain_etag(reply.header("x-linked-etag").value_or(reply.header("etag").value_or(""))),
      .size = number_of(reply.header("x-linked-size"))};
  if (!metadata.size && reply.status / 100 == 2) metadata.size = number_of(reply.header("content-length"));
  const bool sound = metadata.etag.size() == 40 || metadata.etag.size() == 64;
  if (!is_commit(metadata.commit) || !sound || !is_hex(metadata.etag))
    return fail(ErrorKind::Unavailable,
                fmt::format("{} does not say which content {} has; is it a Hub?", about.endpoint, about.path),
                "no_hub");
  return metadata;
}

Result<Metadata> ask_metadata(const Wanted& wanted, const net::RetryRule& rule) {
  auto request = wanted.request("HEAD");
  request.limits = kMetadataLimits;
  // What lies behind the border needs no look: its redirect already says everything.
  request.redirects = net::Redirects::SameOrigin;
  const auto about = wanted.about();
  if (wanted.session.settings().offline) {
    TRY(wanted.session.checked(request, about, rule));
  }
  const auto reply = TRY(net::send_patiently(wanted.session.client(), request, rule));
  if (reply.status / 100 != 2 && reply.status / 100 != 3) {
    auto error = error_of(reply, about);
    if (error.code == "entry_not_found")
      RepoCache(wanted.session.settings().cache, wanted.repo)
          .remember_absence(std::string(reply.header("x-repo-commit").value_or("")), wanted.path);
    return std::unexpected(std::move(error));
  }
  return metadata_of(reply, about);
}

// Size and hash of what arrived; what is wrong is thrown away, so that the next try begins anew.
Result<void> check_content(const fs::path& part, const Metadata& metadata, const Wanted& wanted) {
  const auto which = metadata.etag.size() == 64 ? Hashes::Sha256 : Hashes::GitSha1;
  const auto hash = TRY(hash_file(part, which));
  const auto& found = which == Hashes::Sha256 ? hash.sha256 : hash.git_sha1;
  if (found == metadata.etag && (!metadata.size || *metadata.size == hash.size)) return {};
  std::error_code ignored;
  fs::remove(part, ignored);
  return fail(
      ErrorKind::Unreadable,
      fmt::format(
          "what arrived as {} of {} is not what the Hub announced (hash {:.12} instead of {:.12}); it "
          "was thrown away, fetch it once more",
          wanted.path, wanted.repo.id, found, metadata.etag),
      "wrong_content");
}

Result<void> fetch_blob(const Wanted& wanted, const RepoCache& cache, const Metadata& metadata) {
  const auto part = cache.part(metadata.etag);
  net::Download download{.request = wanted.request("GET"), .part = part, .size = metadata.size};
  download.request.limits = kContentLimits;
  if (wanted.options.progress)
    download.progress = [&](std::uint64_t done) {
      wanted.options.progress(wanted.path, done, metadata.size.value_or(0));
    };
  auto done = TRY(net::download(wanted.session.client(), download));
  // Addresses of large files are signed for a while; a new one is had by asking the Hub again.
  if (done.reply.status == 403) done = TRY(net::download(wanted.session.client(), download));
  if (done.reply.status / 100 != 2) return std::unexpected(error_of(done.reply, wanted.about()));
  TRY(check_content(part, metadata, wanted));
  std::error_code failed;
  fs::rename(part, cache.blob(metadata.etag), failed);
  if (failed)
    return fail(ErrorKind::Unavailable,
                fmt::format("{} cannot be renamed: {}", part.string(), failed.message()));
  return {};
}

Result<fs::path> bring_in(const Wanted& wanted, const RepoCache& cache, const Metadata& metadata) {
  cache.remember_revision(wanted.revision, metadata.commit);
  if (auto here = cache.find(metadata.commit, wanted.path)) return *here;
  TRY(cache.prepare());
  const auto lock = TRY(BlobLock::take(cache, metadata.etag, wanted.options.stop));
  std::error_code failed;
  // Somebody else may have fetched it while we waited.
  if (!fs::is_regular_file(cache.blob(metadata.etag), failed)) TRY(fetch_blob(wanted, cache, metadata));
  return cache.link(metadata.commit, wanted.path, metadata.etag);
}

bool is_answer(const Error& error) {  // that what is cached must not hide
  return error.code == "revision_not_found" || error.code == "entry_not_found" || error.code == "cancelled";
}

}  // namespace

Result<fs::path> fetch_file(const Session& session, const Repo& repo, const std::string& revision,
                            const std::string& path, const FetchOptions& options) {
  TRY(check_path(path));
  const RepoCache cache(session.settings().cache, repo);
  if (is_commit(revision))
    if (auto here = cache.find(revision, path)) return *here;
  const Wanted wanted{session, repo, revision, path, options};
  // The first question is asked once: what is cached is there at once when the Hub is not.
  auto metadata = ask_metadata(wanted, {.tries = 1});
  if (!metadata && !is_answer(metadata.error())) {
    if (const auto commit = cache.commit_of(revision))
      if (auto here = cache.find(*commit, path)) return *here;
    if (metadata.error().kind == ErrorKind::Unavailable || metadata.error().kind == ErrorKind::Overloaded)
      metadata = ask_metadata(wanted, {.tries = 3});  // somebody is waiting at a prompt
  }
  return bring_in(wanted, cache, TRY(std::move(metadata)));
}

}  // namespace alcove::hub
