#include "hub/lfs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>

#include "hub/fields.h"
#include "hub/part_notes.h"
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

Result<void> put_whole(const Session& session, const About& about, const Upload& upload,
                       const TransferProgress& progress, const std::stop_token& stop) {
  const auto& file = *upload.file;
  Counter counter(file, progress);
  auto request = to_address(session, "PUT", at_endpoint(session, text_or(upload.upload, "href")),
                            member(upload.upload, "header"), false);
  request.body = net::FileSlice{file.local.file, 0, file.local.size};
  TRY(put(session, about, std::move(request), counter, 0, stop));
  return {};
}

// The numeric keys of the header are the parts' addresses.
Result<PartUpload> parts_of(const Json& upload, std::uint64_t size, const About& about) {
  PartUpload parts{.completion = text_or(upload, "href")};
  const auto& header = member(upload, "header");
  const auto chunk = text_or(header, "chunk_size");
  std::from_chars(chunk.data(), chunk.data() + chunk.size(), parts.chunk);
  bool in_order = true;
  for (const auto& [key, value] : header.items()) {
    Part part;
    const auto [end, failed] = std::from_chars(key.data(), key.data() + key.size(), part.number);
    if (failed != std::errc() || end != key.data() + key.size() || !value.is_string()) continue;
    part.address = value.get<std::string>();
    parts.parts.push_back(std::move(part));
  }
  std::ranges::sort(parts.parts, {}, &Part::number);
  for (std::size_t i = 0; i < parts.parts.size(); ++i) in_order = in_order && parts.parts[i].number == i + 1;
  const auto expected = parts.chunk == 0 ? 0 : (size + parts.chunk - 1) / parts.chunk;
  if (!in_order || parts.parts.size() != expected || parts.parts.size() > kMostParts)
    return fail(ErrorKind::Unavailable,
                fmt::format("{} wants {} in {} parts of {} bytes, which does not add up", about.endpoint,
                            about.what, parts.parts.size(), parts.chunk),
                "no_hub");
  return parts;
}

Result<void> complete(const Session& session, const About& about, const PartUpload& upload,
                      const std::string& sha256) {
  auto listed = Json::array();
  for (const auto& part : upload.parts) listed.push_back({{"partNumber", part.number}, {"etag", part.etag}});
  auto request = to_address(session, "POST", at_endpoint(session, upload.completion), {}, false);
  request.headers.push_back({"Content-Type", kMediaType});
  request.headers.push_back({"Accept", kMediaType});
  request.body = to_text({{"oid", sha256}, {"parts", std::move(listed)}});
  request.repeatable = true;
  request.limits.total = std::chrono::minutes(10);  // the Hub puts the parts together before it answers
  TRY(session.checked(request, about, {}));
  return {};
}

// The parts that have no etag yet, then the list of all.
Result<void> put_parts(const Session& session, const About& about, const LargeFile& file, PartUpload upload,
                       PartNotes& notes, Counter& counter, const std::stop_token& stop) {
  std::vector<Task> tasks;
  for (auto& part : upload.parts) {
    const auto start = (part.number - 1) * upload.chunk;
    const auto size = std::min(upload.chunk, file.local.size - start);
    if (!part.etag.empty()) {
      counter.part(part.number, size);
      continue;
    }
    tasks.push_back([&, start, size](const std::stop_token& inner) -> Result<void> {
      auto request = to_address(session, "PUT", part.address, {}, false);
      request.body = net::FileSlice{file.local.file, start, size};
      const auto reply = TRY(put(session, about, std::move(request), counter, part.number, inner));
      part.etag = reply.header("etag").value_or("");
      notes.done(part);
      return {};
    });
  }
  TRY(run_together(tasks, kAtOnce, stop));
  TRY(complete(session, about, upload, file.sha256));
  notes.forget();
  return {};
}

Result<void> put_in_parts(const Session& session, const About& about, const Upload& upload,
                          const TransferProgress& progress, const std::stop_token& stop) {
  const auto& file = *upload.file;
  const auto fresh = TRY(parts_of(upload.upload, file.local.size, about));
  PartNotes notes(session.settings(), file.sha256);
  if (auto begun = notes.read(fresh)) {
    Counter counter(file, progress);
    const auto done = put_parts(session, about, file, *std::move(begun), notes, counter, stop);
    // Signed addresses end some day, and the store forgets what was never completed: then all begins anew.
    if (done || done.error().kind == ErrorKind::Unavailable) return done;
  }
  notes.begin(fresh);
  Counter counter(file, progress);
  return put_parts(session, about, file, fresh, notes, counter, stop);
}

Result<void> store(const Session& session, const Repo& repo, const Upload& upload,
                   const TransferProgress& progress, const std::stop_token& stop) {
  const auto about = about_file(session, repo, *upload.file);
  if (text_or(member(upload.upload, "header"), "chunk_size").empty())
    TRY(put_whole(session, about, upload, progress, stop));
  else
    TRY(put_in_parts(session, about, upload, progress, stop));
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
    // All of them at once, so that the time that is left is that of the whole.
    for (const auto& upload : uploads)
      if (progress) progress(upload.file->local.path, 0, upload.file->local.size);
    std::vector<Task> tasks;
    for (const auto& upload : uploads)
      tasks.push_back(
          [&](const std::stop_token& inner) { return store(session, repo, upload, progress, inner); });
    TRY(run_together(tasks, kAtOnce, stop));
  }
  return {};
}

}  // namespace alcove::hub
