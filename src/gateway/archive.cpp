#include "gateway/archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/zip_writer.h"

namespace alcove::gateway {
namespace {

// Moodle cuts the folder's name at its underscores, and a slash would make another folder.
std::string folder_of(const sheets::RosterEntry& person) {
  auto name = person.name;
  std::ranges::replace_if(
      name, [](char c) { return c == '_' || c == '/' || c == '\\' || static_cast<unsigned char>(c) < ' '; },
      ' ');
  return fmt::format("{}_{}_assignsubmission_file/", name.empty() ? "Participant" : name, person.participant);
}

std::string ending_of(const Record& record) {
  const auto slash = record.mime_type.find('/');
  return slash == std::string::npos ? "bin" : record.mime_type.substr(slash + 1);
}

std::string free_name(std::set<std::string>& taken, const std::string& stem, const std::string& ending) {
  auto name = fmt::format("{}.{}", stem, ending);
  for (int number = 2; !taken.insert(name).second; ++number)
    name = fmt::format("{}_{}.{}", stem, number, ending);
  return name;
}

struct NamedFile {
  std::string content, ending;  // "pdf", "tiff", …
};

Result<NamedFile> file_of(const Record& record, const ArchiveTools& tools) {
  auto content = TRY(tools.ledger.content(record.sha256));
  if (record.mime_type == "application/pdf") return NamedFile{std::move(content), "pdf"};
  auto pdf = tools.to_pdf(as_bytes(content));
  if (pdf) return NamedFile{*std::move(pdf), "pdf"};
  // In a moment it may well be one: two archives of one exam should hold the same.
  if (pdf.error().kind == ErrorKind::Unavailable) return std::unexpected(std::move(pdf).error());
  return NamedFile{std::move(content), ending_of(record)};
}

}  // namespace

Result<std::size_t> write_archive(const std::vector<Record>& records, const Participants* moodle,
                                  const ArchiveTools& tools) {
  ZipWriter zip(tools.sink);
  std::set<std::string> taken;
  std::string left_out;
  std::size_t written = 0;
  const auto leave = [&](const Record& record, std::string_view why) {
    left_out += fmt::format("{}\t{}\t{}\n", record.uuid, record.original_filename, why);
  };
  for (const auto& record : records) {
    if (record.decision != "accepted" || record.renamed_filename.empty()) {
      leave(record, "it has no name yet: settle it in the review");
      continue;
    }
    std::string folder;
    if (moodle != nullptr) {
      const auto person = moodle->find(record.register_number);
      if (person == moodle->end()) {
        leave(record, "its number has no participant: take in Moodle's grading worksheet as class list");
        continue;
      }
      folder = folder_of(person->second);
    }
    const auto file = file_of(record, tools);
    if (!file) {
      leave(record, file.error().message);
      continue;
    }
    const auto stem = record.renamed_filename.substr(0, record.renamed_filename.rfind('.'));
    TRY(zip.add(free_name(taken, folder + stem, file->ending), as_bytes(file->content)));
    ++written;
  }
  if (!left_out.empty()) TRY(zip.add("left-out.txt", as_bytes(left_out)));
  TRY(zip.finish());
  return written;
}

}  // namespace alcove::gateway
