#include "base/zip.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <array>

namespace alcove {
namespace {

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorKind::Unreadable, fmt::format("the ZIP archive is damaged: {}", what), "damaged_zip");
}

using Stream = std::unique_ptr<zip_file_t, decltype([](zip_file_t* file) { zip_fclose(file); })>;

}  // namespace

struct ZipArchive::Handle {
  zip_t* archive = nullptr;
  std::mutex mutex;  // the library's handles are for one thread at a time
  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (archive != nullptr) zip_discard(archive);
  }
};

bool ZipArchive::recognises(Bytes bytes) {
  const auto text = as_text(bytes);
  return text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06");
}

Result<ZipArchive> ZipArchive::open(Bytes bytes, std::size_t most) {
  zip_error_t error;
  zip_error_init(&error);
  auto handle = std::make_shared<Handle>();
  if (auto* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error); source != nullptr) {
    handle->archive = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (handle->archive == nullptr) zip_source_free(source);
  }
  const std::string why = zip_error_strerror(&error);
  zip_error_fini(&error);
  if (handle->archive == nullptr) return damaged(why);

  const auto count = static_cast<std::uint64_t>(zip_get_num_entries(handle->archive, 0));
  if (count > most)
    return fail(
        ErrorKind::TooLarge,
        fmt::format("the ZIP archive has {} entries; at most {} are read at once, send them in several",
                    count, most),
        "too_many_files");
  ZipArchive opened(handle);
  for (std::uint64_t index = 0; index < count; ++index) {
    zip_stat_t stat;
    if (zip_stat_index(handle->archive, index, 0, &stat) != 0 || (stat.valid & ZIP_STAT_NAME) == 0)
      return damaged("an entry has no name");
    const std::string name = stat.name;
    if (name.ends_with('/')) continue;
    opened.entries_.push_back({.name = name,
                               .size = (stat.valid & ZIP_STAT_SIZE) != 0 ? stat.size : 0,
                               .index = index,
                               .encrypted = stat.encryption_method != ZIP_EM_NONE});
  }
  return opened;
}

Result<std::string> ZipArchive::read(const Entry& entry, std::uint64_t limit) const {
  if (entry.encrypted)
    return fail(ErrorKind::Unreadable, "the entry is encrypted; make the archive without a password",
                "encrypted_entry");
  const auto too_large = [&] {
    return fail(ErrorKind::TooLarge,
                fmt::format("the entry is larger than {} bytes, the most that is taken", limit),
                "file_too_large");
  };
  if (entry.size > limit) return too_large();
  const std::lock_guard lock(handle_->mutex);
  const Stream stream(zip_fopen_index(handle_->archive, entry.index, 0));
  if (!stream) return damaged(zip_strerror(handle_->archive));
  std::string content;
  content.reserve(entry.size);
  std::array<char, 64 * 1024> piece;
  while (true) {
    const auto got = zip_fread(stream.get(), piece.data(), piece.size());
    if (got < 0) return damaged(zip_file_strerror(stream.get()));
    if (got == 0) return content;
    // What all entries claim together bounds the work that an archive makes; several may share their data.
    if (content.size() + static_cast<std::uint64_t>(got) > entry.size)
      return damaged("an entry holds more than it claims");
    content.append(piece.data(), static_cast<std::size_t>(got));
  }
}

bool ZipArchive::leads_astray(std::string_view name) {
  const auto is_control = [](char letter) { return static_cast<unsigned char>(letter) < 0x20; };
  if (name.empty() || name.starts_with('/') || std::ranges::any_of(name, is_control)) return true;
  if (name.find('\\') != std::string_view::npos || (name.size() > 1 && name[1] == ':')) return true;
  while (true) {
    const auto slash = name.find('/');
    if (name.substr(0, slash) == "..") return true;
    if (slash == std::string_view::npos) return false;
    name.remove_prefix(slash + 1);
  }
}

}  // namespace alcove
