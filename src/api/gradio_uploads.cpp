#include "api/gradio_uploads.h"

#include <algorithm>

#include "base/sha256.h"

namespace alcove::api {
namespace {

// The last part of a name that may be a path on somebody else's machine, without what a path could mean here.
std::string plain_name(std::string_view name) {
  name = name.substr(name.find_last_of("/\\") + 1);
  std::string plain;
  for (const char letter : name.substr(0, 200))
    if (static_cast<unsigned char>(letter) >= 0x20 &&
        std::string_view("<>:\"|?*").find(letter) == std::string_view::npos)
      plain += letter;
  return plain.empty() || plain.starts_with('.') ? "file" : plain;
}

}  // namespace

std::string GradioUploads::put(std::string name, Bytes content) {
  auto file = std::make_shared<GradioFile>(plain_name(name), std::string(as_text(content)));
  auto path = "uploads/" + sha256_hex(content) + "/" + file->name;
  const std::lock_guard lock(mutex_);
  make_room(content.size());
  const auto [place, is_new] = files_.insert_or_assign(path, Kept{std::move(file), Clock::now()});
  if (is_new) bytes_ += content.size();
  return path;
}

std::shared_ptr<const GradioFile> GradioUploads::find(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : found->second.file;
}

void GradioUploads::make_room(std::uint64_t bytes) {
  const auto oldest_allowed = Clock::now() - limits_.age;
  while (!files_.empty()) {
    const auto oldest =
        std::ranges::min_element(files_, {}, [](const auto& entry) { return entry.second.since; });
    if (bytes_ + bytes <= limits_.bytes && oldest->second.since >= oldest_allowed) return;
    bytes_ -= oldest->second.file->content.size();
    files_.erase(oldest);
  }
}

}  // namespace alcove::api
