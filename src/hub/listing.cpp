#include "hub/listing.h"

#include <fmt/format.h>

#include "hub/fields.h"
#include "net/url.h"

namespace alcove::hub {
namespace {

constexpr std::size_t kMostFiles = 100'000;  // more than the Hub recommends for a repository

Result<RepoFile> file_of(const Json& entry) {
  RepoFile file{.path = text_or(entry, "path"),
                .size = size_or_zero(entry, "size"),
                .blob_id = text_or(entry, "oid"),
                .sha256 = text_or(member(entry, "lfs"), "oid")};
  TRY(check_path(file.path));
  return file;
}

}  // namespace

Result<std::string> commit_of(const Session& session, const Repo& repo, const std::string& revision,
                              const net::RetryRule& rule) {
  auto about = session.about(repo);
  about.revision = revision;
  const auto path = repo.api_path() + "/revision/" + net::percent_encoded(revision);
  const auto reply = TRY(session.checked(session.request("GET", path), about, rule));
  const auto commit = text_or(TRY(json_of(reply, about)), "sha");
  if (!is_commit(commit))
    return fail(ErrorKind::Unavailable,
                fmt::format("{} names no commit for {}; is it a Hub?", about.endpoint, repo.id), "no_hub");
  return commit;
}

Result<std::string> next_page(const Session& session, const net::Reply& reply) {
  const auto link = reply.header("link").value_or("");
  const auto end = link.find(">; rel=\"next\"");
  const auto start = end == std::string_view::npos ? end : link.rfind('<', end);
  if (start == std::string_view::npos) return std::string();
  const std::string next(link.substr(start + 1, end - start - 1));
  if (TRY(net::origin_of(next)) != TRY(net::origin_of(session.settings().endpoint)))
    return fail(ErrorKind::Unavailable, "a listing goes on at another server, which is not followed",
                "no_hub");
  return next;
}

Result<std::vector<RepoFile>> list_files(const Session& session, const Repo& repo,
                                         const std::string& commit) {
  std::vector<RepoFile> files;
  auto about = session.about(repo);
  about.revision = commit;
  auto page =
      fmt::format("{}/tree/{}?recursive=true&expand=false", repo.api_path(), net::percent_encoded(commit));
  while (!page.empty()) {
    const auto reply = TRY(session.get(page, about));
    for (const auto& entry : TRY(json_of(reply, about)))
      if (text_or(entry, "type") == "file") files.push_back(TRY(file_of(entry)));
    if (files.size() > kMostFiles)
      return fail(ErrorKind::TooLarge, fmt::format("{} lists more than {} files", repo.id, kMostFiles));
    auto next = TRY(next_page(session, reply));
    if (next == page) break;
    page = std::move(next);
  }
  return files;
}

}  // namespace alcove::hub
