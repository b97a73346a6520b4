#include "store/paper_snapshots.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <optional>
#include <vector>

#include "base/log.h"
#include "base/sha256.h"
#include "store/connection.h"
#include "store/paper_folder.h"

namespace alcove::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnd = ".db";
constexpr std::size_t kKept = 2;
constexpr const char* kShipped = "shipped.sha256";  // in the storage: which one was taken last

struct Snapshot {
  std::uint64_t number = 0;
  std::string digest;
  fs::path file;
};

std::optional<Snapshot> snapshot_named(const fs::path& file, const std::string& begin) {
  const auto name = file.filename().string();
  if (!name.starts_with(begin) || !name.ends_with(kEnd)) return std::nullopt;
  const auto middle = std::string_view(name).substr(begin.size(), name.size() - begin.size() - kEnd.size());
  const auto dash = middle.find('-');
  if (dash == std::string_view::npos || middle.size() - dash - 1 != 64) return std::nullopt;
  Snapshot snapshot{.digest = std::string(middle.substr(dash + 1)), .file = file};
  const auto [end, error] = std::from_chars(middle.data(), middle.data() + dash, snapshot.number);
  if (error != std::errc() || end != middle.data() + dash) return std::nullopt;
  return snapshot;
}

// Last first.
std::vector<Snapshot> list(const fs::path& folder, const std::string& begin) {
  std::vector<Snapshot> found;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(folder, unreadable))
    if (auto snapshot = snapshot_named(entry.path(), begin)) found.push_back(*std::move(snapshot));
  std::ranges::sort(found, std::greater{},
                    [](const Snapshot& one) { return std::pair(one.number, one.digest); });
  return found;
}

// Read, not mapped: a mount may take bytes away while they are read. Empty when it cannot be read.
std::string digest_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> piece(1 << 20);
  Sha256 digest;
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0)
    digest.add(as_bytes(std::string_view(piece.data(), static_cast<std::size_t>(file.gcount()))));
  return file.is_open() && !file.bad() ? digest.hex() : "";
}

bool sync(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  return synced;
}

// Under its name when it is whole and on disk. False when that cannot be had.
bool copy_whole(const fs::path& from, const fs::path& to, const std::string& digest) {
  const auto part = to.string() + fmt::format(".{}.part", ::getpid());
  std::error_code failure;
  fs::copy_file(from, part, fs::copy_options::overwrite_existing, failure);
  const bool whole = !failure && sync(part) && digest_of(part) == digest;
  if (whole) fs::rename(part, to, failure);
  std::error_code ignored;
  fs::remove(part, ignored);
  return whole && !failure;
}

}  // namespace

Result<void> PaperSnapshots::publish(const fs::path& file) const {
  const auto digest = digest_of(file);
  if (digest.empty()) return fail(ErrorKind::NotFound, fmt::format("{} cannot be read", file.string()));
  const auto before = list(folder_, begin_);
  if (!before.empty() && before.front().digest == digest) return {};
  const auto number = before.empty() ? 1 : before.front().number + 1;
  std::error_code failure;
  fs::create_directories(folder_, failure);
  if (!copy_whole(file, folder_ / fmt::format("{}{:08}-{}{}", begin_, number, digest, kEnd), digest))
    return fail(ErrorKind::Unavailable,
                fmt::format("{} does not keep a copy of {}; is there room, and may it be written?",
                            folder_.string(), file.filename().string()));
  sync(folder_);
  std::size_t sound = 1;
  for (const auto& old : before)
    if (sound >= kKept || digest_of(old.file) != old.digest)
      fs::remove(old.file, failure);
    else
      ++sound;
  return {};
}

Result<std::string> PaperSnapshots::restore(const fs::path& file) const {
  for (const auto& snapshot : list(folder_, begin_)) {
    if (copy_whole(snapshot.file, file, snapshot.digest)) return snapshot.file.filename().string();
    log(LogLevel::Warning, "snapshot_damaged", {{"file", snapshot.file.string()}});
  }
  return fail(ErrorKind::NotFound,
              fmt::format("{} has no sound copy of {}", folder_.string(), file.filename().string()));
}

Result<bool> take_shipped(const fs::path& shipped, const fs::path& folder, const fs::path& snapshots) {
  const auto file = PaperFolder(index_folder(shipped)).current();
  const auto digest = digest_of(file);
  if (digest.empty()) return fail(ErrorKind::NotFound, fmt::format("{} cannot be read", file.string()));
  const auto& storage = snapshots.empty() ? folder : snapshots;
  std::string last;
  std::ifstream(storage / kShipped) >> last;
  if (last == digest) return false;
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (!copy_whole(file, PaperFolder(folder).current(), digest))
    return fail(ErrorKind::Unavailable,
                fmt::format("{} does not keep the index that came along; is there room, and may it be "
                            "written?",
                            folder.string()));
  if (!snapshots.empty()) TRY(PaperSnapshots(snapshots).publish(file));
  const auto part = storage / (std::string(kShipped) + ".part");
  std::ofstream(part) << digest << '\n';
  if (sync(part)) fs::rename(part, storage / kShipped, failure);
  if (failure || !fs::exists(storage / kShipped, failure))
    return fail(ErrorKind::Unavailable,
                fmt::format("{} cannot be written: the index that came along would be taken again by the "
                            "next start",
                            storage.string()));
  return true;
}

bool is_mount_to_mistrust(const fs::path& folder) {
  // The magic numbers of statfs(2): NFS, SMB, CIFS, SMB2, Ceph, FUSE.
  constexpr std::array<std::uint32_t, 6> kKinds{0x6969,     0x517B,     0xFF534D42,
                                                0xFE534D42, 0x00C36400, 0x65735546};
  struct statfs state;
  return ::statfs(folder.c_str(), &state) == 0 &&
         std::ranges::find(kKinds, static_cast<std::uint32_t>(state.f_type)) != kKinds.end();
}

}  // namespace alcove::store
