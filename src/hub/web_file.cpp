#include "hub/web_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "hub/file_hash.h"
#include "hub/repo.h"
#include "net/download.h"
#include "net/url.h"

namespace alcove::hub {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = "#sha256=";
constexpr net::Limits kLimits{.connect = std::chrono::seconds(10),
                              .total = std::chrono::seconds(0),
                              .silence = std::chrono::seconds(60)};

// No blank, quote or dollar sign: the address may become a line of a Dockerfile.
bool belongs_in_address(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("-._~:/?&=%+@,;!*()[]").find(c) != std::string_view::npos;
}

// The last part of the address, with %28 as ( and the like; empty when it is not one file's name.
std::string name_in(std::string_view url) {
  url = url.substr(0, url.find('?'));
  url.remove_prefix(url.rfind('/') + 1);
  std::string name;
  for (std::size_t i = 0; i < url.size(); ++i) {
    unsigned code = 0;
    const bool coded = url[i] == '%' && i + 2 < url.size() &&
                       std::from_chars(&url[i + 1], &url[i + 1] + 2, code, 16).ptr == &url[i + 1] + 2;
    name += coded ? static_cast<char>(code) : url[i];
    if (coded) i += 2;
  }
  return name.find('/') == std::string::npos && check_path(name) ? name : std::string();
}

}  // namespace

bool is_web_address(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

Result<WebFile> parse_web_file(const std::string& text) {
  const auto mark = text.find('#');
  WebFile file{.url = text.substr(0, mark), .name = name_in(text.substr(0, mark))};
  TRY(net::origin_of(file.url));
  if (mark != std::string::npos && text.compare(mark, kMark.size(), kMark) == 0)
    file.sha256 = text.substr(mark + kMark.size());
  if (file.sha256.size() != 64 || !is_hex(file.sha256))
    return fail(ErrorKind::BadInput,
                fmt::format("{0} has no digest, by which what arrives is known to be the right file: write "
                            "{0}#sha256=… with the 64 characters that `sha256sum` prints for it",
                            net::shown(file.url)));
  if (file.name.empty() || !std::ranges::all_of(file.url, belongs_in_address))
    return fail(ErrorKind::BadInput,
                fmt::format("{:?} is no address of a file; write blanks and signs in it as %20 and the like",
                            net::shown(file.url)));
  return file;
}

Result<fs::path> fetch_web_file(const net::Client& client, const WebFile& file, const fs::path& folder,
                                const TransferProgress& progress) {
  const auto place = folder / file.sha256 / file.name;
  std::error_code failed;
  if (fs::is_regular_file(place, failed)) return place;
  fs::create_directories(place.parent_path(), failed);
  net::Download download{.request = {.url = file.url, .limits = kLimits},
                         .part = place.parent_path() / (file.name + ".alcove-part")};
  if (progress) download.progress = [&](std::uint64_t done) { progress(file.name, done, 0); };
  const auto done = TRY(net::download(client, download));
  if (done.reply.status / 100 != 2)
    return fail(done.reply.status == 404 ? ErrorKind::NotFound : ErrorKind::Unavailable,
                fmt::format("{} is not handed out: status {}", net::shown(file.url), done.reply.status));
  const auto hash = TRY(hash_file(download.part, Hashes::Sha256));
  if (hash.sha256 != file.sha256) {
    fs::remove(download.part, failed);
    return fail(ErrorKind::Unreadable,
                fmt::format("what {} sends has the digest {:.12}… and not {:.12}…; it was thrown away",
                            net::shown(file.url), hash.sha256, file.sha256),
                "wrong_content");
  }
  fs::rename(download.part, place, failed);
  if (failed)
    return fail(ErrorKind::Unavailable,
                fmt::format("{} cannot be written: {}", place.string(), failed.message()));
  return place;
}

}  // namespace alcove::hub
