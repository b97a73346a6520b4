#include "api/batch_upload.h"

#include <fmt/format.h>

#include <array>

#include "api/multipart.h"
#include "base/sha256.h"

namespace alcove::api {
namespace {

constexpr std::size_t kFieldsBesideFiles = 8;

// What file managers put into archives beside the files somebody chose.
bool is_litter(std::string_view name) {
  const auto last = name.substr(name.rfind('/') + 1);
  return name.starts_with("__MACOSX/") || last.starts_with('.') || last == "Thumbs.db" ||
         last == "desktop.ini";
}

std::unexpected<Error> no_files(std::string_view why) {
  return fail(
      ErrorKind::BadInput,
      fmt::format("No file: {}; send sheets as multipart/form-data (curl -F file=@a.pdf -F file=@b.pdf …) or "
                  "one ZIP archive of them",
                  why),
      "no_file");
}

std::unexpected<Error> too_many(std::size_t count, std::size_t most) {
  return fail(ErrorKind::TooLarge,
              fmt::format("{} files came; at most {} are read at once, send them in several", count, most),
              "too_many_files");
}

}  // namespace

Result<std::shared_ptr<const BatchUpload>> BatchUpload::of(std::shared_ptr<const Request> request,
                                                           const BatchLimits& limits) {
  std::shared_ptr<BatchUpload> made(new BatchUpload(std::move(request), limits));
  made->split_ = form_value(made->request_->query, "split").value_or("");
  const auto type = media_type(made->request_->header("content-type"));
  if (type == "application/zip" || type == "application/x-zip-compressed")
    TRY(made->take_archive(made->request_->content()));
  else if (type == "multipart/form-data")
    TRY(made->take_form());
  else
    return no_files("the request is neither multipart/form-data nor application/zip");
  if (made->files_.empty()) return no_files("there is none in it");
  if (made->files_.size() > limits.files) return too_many(made->files_.size(), limits.files);
  return made;
}

Result<void> BatchUpload::take_form() {
  const auto parts = TRY(parse_multipart(request_->header("content-type"), request_->content(),
                                         limits_.files + kFieldsBesideFiles));
  for (const auto& part : parts) {
    if (part.name == "exam_type" && !part.file_name) exam_type_ = as_text(part.content);
    if (part.name == "password" && !part.file_name) password_ = as_text(part.content);
    if (part.name == "split" && !part.file_name) split_ = as_text(part.content);
    // A browser sends an empty file for a field in which none was chosen.
    if (part.file_name && !(part.file_name->empty() && part.content.empty()))
      files_.push_back({*part.file_name, part.content, {}});
  }
  if (files_.size() != 1 || !ZipArchive::recognises(files_.front().content)) return {};
  const auto bytes = files_.front().content;
  files_.clear();
  return take_archive(bytes);
}

Result<void> BatchUpload::take_archive(Bytes bytes) {
  // Folders and litter are entries too.
  archive_ = TRY(ZipArchive::open(bytes, 4 * limits_.files));
  archive_bytes_ = bytes;
  std::uint64_t claimed = 0;
  for (const auto& entry : archive_->entries()) {
    if (is_litter(entry.name)) continue;
    files_.push_back({entry.name, {}, entry});
    claimed += std::min(entry.size, limits_.inflated_bytes + 1);
  }
  if (claimed > limits_.inflated_bytes)
    return fail(
        ErrorKind::TooLarge,
        fmt::format(
            "the archive holds more than {} bytes unpacked, the most that is read at once; send it in "
            "several",
            limits_.inflated_bytes),
        "batch_too_large");
  return {};
}

Result<SheetUpload> BatchUpload::file(std::size_t index) const {
  const auto& file = files_[index];
  SheetUpload upload{
      .content = file.content, .file_name = file.name, .exam_type = exam_type_, .password = password_};
  if (!file.entry) return upload;
  if (ZipArchive::leads_astray(file.name))
    return fail(ErrorKind::Unreadable, "the entry's name leads out of the archive; it was not opened",
                "bad_entry_name");
  upload.content = TRY(archive_->read(*file.entry, limits_.file_bytes));
  return upload;
}

std::string BatchUpload::digest() const {
  Sha256 digest;
  const auto add = [&digest](Bytes bytes) {
    // With its length before it, so that what ends one cannot begin the next.
    const auto length = fmt::format("{}:", bytes.size());
    digest.add(as_bytes(length));
    digest.add(bytes);
  };
  add(as_bytes(exam_type_));
  add(as_bytes(password_));
  if (!split_.empty()) add(as_bytes(split_));
  add(archive_bytes_);
  for (const auto& file : files_) {
    add(as_bytes(file.name));
    add(file.content);
  }
  return digest.hex();
}

}  // namespace alcove::api
