#include "hub/part_notes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "hub/fields.h"

namespace alcove::hub {
namespace {

// One line a write, so that lines of several threads, and of a process that is killed, stay whole.
void write_line(int file, const Json& json) {
  const auto line = to_text(json) + "\n";
  if (file >= 0 && ::write(file, line.data(), line.size()) < 0) return;  // then this part is sent once more
}

std::optional<PartUpload> begun(const Json& json, const std::string& endpoint) {
  if (text_or(json, "endpoint") != endpoint) return std::nullopt;
  PartUpload upload{.completion = text_or(json, "completion"), .chunk = size_or_zero(json, "chunk")};
  for (const auto& address : member(json, "parts"))
    upload.parts.push_back({upload.parts.size() + 1, address.is_string() ? address.get<std::string>() : ""});
  return upload;
}

}  // namespace

PartNotes::PartNotes(const Settings& settings, const std::string& sha256)
    : path_(settings.home / "alcove" / "uploads" / (sha256 + ".jsonl")), endpoint_(settings.endpoint) {}

PartNotes::~PartNotes() {
  if (file_ >= 0) ::close(file_);
}

std::optional<PartUpload> PartNotes::read(const PartUpload& like) {
  std::ifstream in(path_);
  std::string line;
  if (!std::getline(in, line)) return std::nullopt;
  const auto head = parse_json(line);
  auto upload = head ? begun(*head, endpoint_) : std::nullopt;
  if (!upload || upload->chunk != like.chunk || upload->parts.size() != like.parts.size())
    return std::nullopt;
  while (std::getline(in, line)) {
    const auto json = parse_json(line);
    if (!json) continue;
    const auto number = size_or_zero(*json, "part");
    if (number >= 1 && number <= upload->parts.size())
      upload->parts[number - 1].etag = text_or(*json, "etag");
  }
  file_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
  return upload;
}

void PartNotes::begin(const PartUpload& upload) {
  std::error_code failed;
  std::filesystem::create_directories(path_.parent_path(), failed);
  if (file_ >= 0) ::close(file_);
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  auto addresses = Json::array();
  for (const auto& part : upload.parts) addresses.push_back(part.address);
  write_line(file_, {{"endpoint", endpoint_},
                     {"completion", upload.completion},
                     {"chunk", upload.chunk},
                     {"parts", std::move(addresses)}});
}

void PartNotes::done(const Part& part) { write_line(file_, {{"part", part.number}, {"etag", part.etag}}); }

void PartNotes::forget() {
  std::error_code failed;
  std::filesystem::remove(path_, failed);
}

}  // namespace alcove::hub
