#pragma once
// Many sheets in one request: the files of a form, or one ZIP archive of them.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/sheet_upload.h"
#include "base/zip.h"

namespace alcove::api {

struct BatchLimits {
  std::size_t files = 500;
  std::uint64_t file_bytes = 52'428'800;     // of one file out of an archive
  std::uint64_t inflated_bytes = 512 << 20;  // that all files of an archive claim; none holds more
};

// Safe from any thread once made.
class BatchUpload {
 public:
  // BadInput ("no_file") when the request has no file; TooLarge ("too_many_files", "batch_too_large");
  // Unreadable for an archive that is none. Keeps the request, whose body the files lie in.
  static Result<std::shared_ptr<const BatchUpload>> of(std::shared_ptr<const Request> request,
                                                       const BatchLimits& limits);

  std::size_t size() const { return files_.size(); }
  const std::string& name(std::size_t index) const { return files_[index].name; }
  // One file, out of the archive if it lies in one. Errors are that file's alone.
  Result<SheetUpload> file(std::size_t index) const;

  // The same for the same files under the same names with the same fields, however the form around them was
  // written.
  std::string digest() const;

  // What the field `split`, in the form or the address, says of PDFs with many sheets; empty: nothing.
  const std::string& split() const { return split_; }

  const std::string& request_id() const { return request_->id; }

 private:
  struct File {
    std::string name;
    Bytes content;                           // of the form
    std::optional<ZipArchive::Entry> entry;  // or where it lies in the archive
  };

  BatchUpload(std::shared_ptr<const Request> request, const BatchLimits& limits)
      : request_(std::move(request)), limits_(limits) {}
  Result<void> take_form();
  Result<void> take_archive(Bytes bytes);

  const std::shared_ptr<const Request> request_;
  const BatchLimits limits_;
  std::vector<File> files_;
  std::optional<ZipArchive> archive_;
  Bytes archive_bytes_;
  std::string exam_type_, password_, split_;
};

}  // namespace alcove::api
