#include "net/download.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "net/url.h"

namespace alcove::net {
namespace {

class PartFile {
 public:
  static Result<PartFile> open(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (file < 0) return trouble(path);
    const auto end = ::lseek(file, 0, SEEK_END);
    return PartFile(path, file, static_cast<std::uint64_t>(end));
  }
  PartFile(PartFile&& other) noexcept
      : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)), size_(other.size_) {}
  PartFile& operator=(PartFile&&) = delete;
  ~PartFile() {
    if (file_ >= 0) ::close(file_);
  }

  std::uint64_t size() const { return size_; }
  Result<void> clear() {
    if (size_ > 0 && ::ftruncate(file_, 0) != 0) return trouble(path_);
    size_ = 0;
    return {};
  }
  Result<void> append(Bytes piece) {
    while (!piece.empty()) {
      const auto count = ::pwrite(file_, piece.data(), piece.size(), static_cast<off_t>(size_));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return trouble(path_);
      size_ += static_cast<std::uint64_t>(count);
      piece = piece.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }
  Result<void> flush() {
    if (::fsync(file_) != 0) return trouble(path_);
    return {};
  }

 private:
  PartFile(std::filesystem::path path, int file, std::uint64_t size)
      : path_(std::move(path)), file_(file), size_(size) {}

  static std::unexpected<Error> trouble(const std::filesystem::path& path) {
    const int why = errno;
    const bool full = why == ENOSPC || why == EDQUOT || why == EFBIG;
    return fail(full ? ErrorKind::Unavailable : ErrorKind::BadInput,
                fmt::format("{} cannot be written: {}{}", path.string(), std::strerror(why),
                            full ? "; make room and start again, what has arrived is kept" : ""),
                full ? "disk_full" : "not_writable");
  }

  std::filesystem::path path_;
  int file_;
  std::uint64_t size_;
};

// Where the bytes of a 206 begin; `Content-Range: bytes 10-99/100`.
std::optional<std::uint64_t> range_start(const Reply& head) {
  auto text = head.header("content-range").value_or("");
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  std::uint64_t start = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), start).ec != std::errc()) return std::nullopt;
  return start;
}

// Puts each piece where it belongs; the first of a reply decides whether the file goes on or begins anew.
Sink appending(const Download& what, PartFile& file, bool& moved) {
  return [&what, &file, &moved, begun = false](const Reply& head, Bytes piece) mutable -> Result<void> {
    if (!std::exchange(begun, true)) {
      if (head.status != 206) TRY(file.clear());
      if (head.status == 206 && range_start(head) != file.size())
        return fail(ErrorKind::Unavailable,
                    fmt::format("{} sends another part than was asked for", shown(what.request.url)),
                    "range");
    }
    if (what.size && file.size() + piece.size() > *what.size)
      return fail(ErrorKind::TooLarge, fmt::format("{} sends more than the {} bytes it announced",
                                                   shown(what.request.url), *what.size));
    TRY(file.append(piece));
    moved = true;
    if (what.progress) what.progress(file.size());
    return {};
  };
}

Result<Reply> ask_once(const Client& client, const Download& what, PartFile& file, bool& moved) {
  auto request = what.request;
  if (file.size() > 0) request.headers.push_back({"Range", fmt::format("bytes={}-", file.size())});
  request.sink = appending(what, file, moved);
  auto reply = client.send(request);
  // An empty body never reaches the sink: whatever was there before is not part of it.
  if (reply && reply->status == 200 && !moved && file.size() > 0) TRY(file.clear());
  return reply;
}

}  // namespace

Result<Downloaded> download(const Client& client, const Download& what) {
  auto file = TRY(PartFile::open(what.part));
  if (what.size && file.size() > *what.size) TRY(file.clear());
  bool began_anew = false;
  auto furthest = file.size();
  for (int number = 1;; ++number) {
    if (what.size && file.size() == *what.size && file.size() > 0) {
      TRY(file.flush());
      return Downloaded{Reply{.status = 200}, file.size()};
    }
    bool moved = false;
    auto outcome = ask_once(client, what, file, moved);
    // Only what lies beyond earlier tries is headway: a server that starts over each time must come to an
    // end.
    if (file.size() > furthest) number = 1;
    furthest = std::max(furthest, file.size());
    // 416: what lies here cannot be the beginning of what lies there.
    if (outcome && outcome->status == 416 && file.size() > 0 && !std::exchange(began_anew, true)) {
      TRY(file.clear());
      continue;
    }
    if (outcome && outcome->status / 100 == 2) {
      if (what.size && file.size() != *what.size)
        outcome = fail(
            ErrorKind::Unavailable,
            fmt::format("{} ended after {} of {} bytes", shown(what.request.url), file.size(), *what.size),
            "cut");
      else
        TRY(file.flush());
    }
    const Attempt attempt{.number = number, .now = std::chrono::system_clock::now()};
    const auto wait = wait_before_retry(what.rule, attempt, outcome);
    if (!wait || !wait_for(*wait, what.request.stop)) {
      if (!outcome) return std::unexpected(outcome.error());
      return Downloaded{*std::move(outcome), file.size()};
    }
  }
}

}  // namespace alcove::net
