#include "hub/lfs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>

#include "hub/fields.h"
#include "hub/together.h"
#include "net/url.h"

namespace alcove::hub {
namespace {

using std::chrono::seconds;

constexpr std::size_t kBatch = 256;  // objects the Hub takes in one question
constexpr std::size_t kAtOnce = 4;   // files or parts on their way
constexpr std::size_t kMostParts = 10'000;
constexpr const char* kMediaType = "application/vnd.git-lfs+json";
constexpr net::Limits kContentLimits{.connect = seconds(10), .total = seconds(0), .silence = seconds(60)};

struct Upload {  // what the Hub wants done with one object
  const LargeFile* file = nullptr;
  Json upload, verify;
};

About about_file(const Session& session, const Repo& repo, const LargeFile& file) {
  auto about = session.about(fmt::format("{} of {}", file.local.path, repo.id));
  about.path = file.local.path;
  return about;
}

// The Hub names its default host in addresses of its own, whatever endpoint it is reached by.
std::string at_endpoint(const Session& session, std::string address) {
  constexpr std::string_view kHost = "https://huggingface.co/";
  if (address.starts_with(kHost)) address.replace(0, kHost.size() - 1, session.settings().endpoint);
  return address;
}

bool is_own(const Session& session, const std::string& address) {
  const auto there = net::origin_of(address), here = net::origin_of(session.settings().endpoint);
  return there && here && *there == *here;
}

// A request to an address from the Hub's reply, with the headers that came along; credentials for the Hub
// alone.
net::Request to_address(const Session& session, const char* method, const std::string& address,
                        const Json& headers, bool authorised) {
  auto request = session.request(method, address);
  if (!authorised || !is_own(session, address))
    std::erase_if(request.headers, [](const net::Header& header) { return header.name == "Authorization"; });
  if (headers.is_object())
    for (const auto& [name, value] : headers.items())
      if (value.is_string()) request.headers.push_back({name, value.get<std::string>()});
  return request;
}

class Counter {  // bytes of one file that several parts send
 public:
  Counter(const LargeFile& file, const TransferProgress& progress) : file_(file), progress_(progress) {}
  void part(std::size_t number, std::uint64_t sent) {
    if (!progress_) return;
    const std::scoped_lock lock(mutex_);
    auto& before = parts_[number];
    done_ += sent > before ? sent - before : 0;
    before = std::max(before, sent);
    progress_(file_.local.path, std::min(done_, file_.local.size), file_.local.size);
  }

 private:
  const LargeFile& file_;
  const TransferProgress& progress_;
  std::mutex mutex_;
  std::map<std::size_t, std::uint64_t> parts_;
  std::uint64_t done_ = 0;
};

Result<net::Reply> put(const Session& session, const About& about, net::Request request, Counter& counter,
                       std::size_t number, const std::stop_token& stop) {
  request.limits = kContentLimits;
  request.stop = stop;
  request.progress = [&](const net::Moved& moved) { counter.part(number, moved.sent); };
  return session.checked(request, about, {});
}

Result<void> put_whole(const Session& session, const About& about, const Upload& upload, Counter& counter,
                       const std::stop_token& stop) {
  const auto& file = *upload.file;
  auto request = to_address(session, "PUT", at_endpoint(session, text_or(upload.upload, "href")),
                            member(upload.upload, "header"), false);
  request.body = net::FileSlice{file.local.file, 0, file.local.size};
  TRY(put(session, about, std::move(request), counter, 0, stop));
  return {};
}

struct Part {
  std::size_t number = 0;
  std::string address, etag;
};

// The numeric keys of the header are the parts' addresses.
Result<std::vector<Part>> parts_of(const Json& header, std::uint64_t size, std::uint64_t chunk,
                                   const About& about) {
  std::vector<Part> parts;
  for (const auto& [key, value] : header.items()) {
    Part part;
    const auto [end, failed] = std::from_chars(key.data(), key.data() + key.size(), part.number);
    if (failed != std::errc() || end != key.data() + key.size() || !value.is_string()) continue;
    part.address = value.get<std::string>();
    parts.push_back(std::move(part));
  }
  std::ranges::sort(parts, {}, &Part::number);
  const auto expected = chunk == 0 ? 0 : (size + chunk - 1) / chunk;
  if (parts.size() != expected || parts.size() > kMostParts)
    return fail(ErrorKind::Unavailable,
                fmt::format("{} wants {} in {} parts of {} bytes, which does not add up", about.endpoint,
                            about.what, parts.size(), chunk),
                "no_hub");
  return parts;
}

Result<void> put_parts(const Session& session, const About& about, const Upload& upload, std::uint64_t chunk,
                       Counter& counter, const std::stop_token& stop) {
  const auto& file = *upload.file;
  auto parts = TRY(parts_of(member(upload.upload, "header"), file.local.size, chunk, about));
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < parts.size(); ++i)
    tasks.push_back([&, i](const std::stop_token& inner) -> Result<void> {
      auto request = to_address(session, "PUT", parts[i].address, {}, false);
      const auto start = i * chunk;
      request.body = net::FileSlice{file.local.file, start, std::min(chunk, file.local.size - start)};
      const auto reply = TRY(put(session, about, std::move(request), counter, parts[i].number, inner));
      parts[i].etag = reply.header("etag").value_or("");
      return {};
    });
  TRY(run_together(tasks, kAtOnce, stop));

  auto listed = Json::array();
  for (const auto& part : parts) listed.push_back({{"partNumber", part.number}, {"etag", part.etag}});
  auto request = to_address(session, "POST", at_endpoint(session, text_or(upload.upload, "href")), {}, false);
  request.headers.push_back({"Content-Type", kMediaType});
  request.headers.push_back({"Accept", kMediaType});
  request.body = to_text({{"oid", file.sha256}, {"parts", std::move(listed)}});
  request.repeatable = true;
  request.limits.total = std::chrono::minutes(10);  // the Hub puts the parts together before it answers
  TRY(session.checked(request, about, {}));
  return {};
}

Result<void> store(const Session& session, const Repo& repo, const Upload& upload,
                   const TransferProgress& progress, const std::stop_token& stop) {
  const auto about = about_file(session, repo, *upload.file);
  Counter counter(*upload.file, progress);
  const auto chunk_text = text_or(member(upload.upload, "header"), "chunk_size");
  std::uint64_t chunk = 0;
  std::from_chars(chunk_text.data(), chunk_text.data() + chunk_text.size(), chunk);
  if (chunk_text.empty())
    TRY(put_whole(session, about, upload, counter, stop));
  else
    TRY(put_parts(session, about, upload, chunk, counter, stop));
  const auto verify = at_endpoint(session, text_or(upload.verify, "href"));
  if (verify.empty()) return {};
  auto request = to_address(session, "POST", verify, member(upload.verify, "header"), true);
  request.headers.push_back({"Content-Type", kMediaType});
  request.body = to_text({{"oid", upload.file->sha256}, {"size", upload.file->local.size}});
  request.repeatable = true;
  TRY(session.checked(request, about, {}));
  return {};
}

// What of these files has to go up, and where to.
Result<std::vector<Upload>> ask_batch(const Session& session, const Repo& repo,
                                      std::span<const LargeFile> files) {
  auto objects = Json::array();
  for (const auto& file : files) objects.push_back({{"oid", file.sha256}, {"size", file.local.size}});
  auto request = session.request("POST", repo.page_path() + ".git/info/lfs/objects/batch");
  request.headers.push_back({"Content-Type", kMediaType});
  request.headers.push_back({"Accept", kMediaType});
  request.repeatable = true;
  request.body = to_text({{"operation", "upload"},
                          {"transfers", {"basic", "multipart"}},
                          {"objects", std::move(objects)},
                          {"hash_algo", "sha256"},
                          {"ref", {{"name", "main"}}}});
  const auto about = session.about(repo);
  const auto reply = TRY(session.checked(request, about, {}));
  const auto answer = TRY(json_of(reply, about));
  std::vector<Upload> uploads;
  for (const auto& object : member(answer, "objects")) {
    const auto oid = text_or(object, "oid");
    const auto file = std::ranges::find(files, oid, &LargeFile::sha256);
    if (file == files.end()) continue;
    if (const auto& error = member(object, "error"); error.is_object())
      return fail(ErrorKind::BadInput, fmt::format("the Hub does not take {}: {}", file->local.path,
                                                   text_or(error, "message", "no reason given")));
    const auto& actions = member(object, "actions");
    if (member(actions, "upload").is_object())
      uploads.push_back({&*file, member(actions, "upload"), member(actions, "verify")});
  }
  return uploads;
}

}  // namespace

Result<void> store_large_files(const Session& session, const Repo& repo, const std::vector<LargeFile>& files,
                               const TransferProgress& progress, const std::stop_token& stop) {
  for (std::size_t start = 0; start < files.size(); start += kBatch) {
    const auto batch = std::span(files).subspan(start, std::min(kBatch, files.size() - start));
    const auto uploads = TRY(ask_batch(session, repo, batch));
    std::vector<Task> tasks;
    for (const auto& upload : uploads)
      tasks.push_back(
          [&](const std::stop_token& inner) { return store(session, repo, upload, progress, inner); });
    TRY(run_together(tasks, kAtOnce, stop));
  }
  return {};
}

}  // namespace alcove::hub
