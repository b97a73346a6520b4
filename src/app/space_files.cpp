#include "app/space_files.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <span>

#include "api/assets.h"
#include "sheets/model_folder.h"

namespace alcove::app {

std::span<const api::EmbeddedFile> embedded_files();  // deploy/, as the build put it in

namespace {

namespace fs = std::filesystem;
using Files = std::vector<hub::LocalFile>;

const char* folder_of(SpaceKind kind) {
  return kind == SpaceKind::AnswerSheet ? "/answer-sheet/" : "/paper-finder/";
}

Result<Files> own_files(SpaceKind kind, const fs::path& scratch) {
  for (const auto& file : embedded_files()) {
    if (!file.path.starts_with(folder_of(kind))) continue;
    const auto name = file.path.substr(std::string_view(folder_of(kind)).size());
    std::ofstream out(scratch / name, std::ios::binary);
    out.write(reinterpret_cast<const char*>(file.begin), file.end - file.begin);
    out.close();
    if (!out) return fail(ErrorKind::Unavailable, fmt::format("{} cannot be written", scratch.string()));
  }
  return hub::list_folder(scratch);
}

void add_file(Files& files, const std::string& path, const fs::path& file) {
  std::error_code failed;
  const auto size = fs::file_size(file, failed);
  if (!failed) files.push_back({path, file, size});
}

// The program that is running, and what lies beside it: libalcove_engine.so finds OpenVINO in lib/.
Result<Files> running_program() {
  std::error_code failed;
  const auto program = fs::read_symlink("/proc/self/exe", failed);
  const auto beside = program.parent_path();
  Files files;
  add_file(files, "program/alcove", program);
  for (const char* library : {"libalcove_engine.so", "libpdfium.so"})
    add_file(files, std::string("program/") + library, beside / library);
  for (const auto& folder : {beside / "lib", fs::path(ALCOVE_OPENVINO_FOLDER)}) {
    for (const auto& entry : fs::directory_iterator(folder, failed))
      if (entry.is_regular_file() && entry.path().filename().string().find(".so") != std::string::npos)
        add_file(files, "program/lib/" + entry.path().filename().string(), entry.path());
    if (files.size() > 3) break;
  }
  return files;
}

Result<Files> program_files(const std::string& folder) {
  if (folder.empty()) return running_program();
  auto files = TRY(hub::list_folder(folder, "program/"));
  if (std::ranges::find(files, "program/alcove", &hub::LocalFile::path) == files.end())
    return fail(ErrorKind::NotFound,
                fmt::format("{} has no `alcove` in it, which the Space is to run", folder));
  return files;
}

Result<void> check_weights(const Files& files) {
  for (const auto& file : files) {
    if (file.size == 0)
      return fail(ErrorKind::Unreadable,
                  fmt::format("{} is empty; fetch or train it once more", file.file.string()));
    if (hub::is_lfs_pointer(file.file))
      return fail(ErrorKind::Unreadable,
                  fmt::format("{} is a pointer of Git LFS instead of the weights; run `git lfs pull`",
                              file.file.string()));
  }
  return {};
}

// For the answer sheets exactly the files the reader would take; another file of a models folder may be
// anything.
Result<Files> sheet_models(const fs::path& folder) {
  const auto found = sheets::find_models(folder);
  if (!found.complete()) return fail(ErrorKind::NotFound, found.missing_sentence());
  Files files;
  for (const auto& part :
       {found.detector, found.second_detector, found.register_reader, found.subject_reader})
    if (part) add_file(files, "models/" + part->filename().string(), *part);
  return files;
}

Result<Files> model_files(const SpaceSources& sources, const hub::Session& session,
                          const hub::FetchOptions& fetch) {
  if (sources.models.empty()) return Files{};
  fs::path folder = sources.models, within = sources.models;
  std::error_code failed;
  if (!fs::is_directory(folder, failed)) {
    const auto repo = hub::parse_repo(sources.models, hub::RepoKind::Model);
    if (!repo || repo->owner().empty())
      return fail(ErrorKind::NotFound,
                  fmt::format("{} is neither a folder nor OWNER/NAME of a model", sources.models));
    folder = TRY(hub::fetch_snapshot(session, *repo, "main", {}, fetch)).folder;
    within = folder.parent_path().parent_path();  // whose blobs the files of a snapshot are links to
  }
  auto files = sources.kind == SpaceKind::AnswerSheet ? TRY(sheet_models(folder))
                                                      : TRY(hub::list_folder(folder, "models/", within));
  TRY(check_weights(files));
  return files;
}

}  // namespace

Result<TemporaryFolder> TemporaryFolder::make() {
  std::error_code failed;
  auto pattern = (fs::temp_directory_path(failed) / "alcove-space-XXXXXX").string();
  if (failed || !::mkdtemp(pattern.data()))
    return fail(ErrorKind::Unavailable, "no temporary folder can be made; is the disk full?");
  return TemporaryFolder(pattern);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Result<Files> gather_files(const SpaceSources& sources, const hub::Session& session, const fs::path& scratch,
                           const hub::FetchOptions& fetch) {
  auto files =
      TRY(sources.files.empty() ? own_files(sources.kind, scratch) : hub::list_folder(sources.files));
  if (std::ranges::find(files, "Dockerfile", &hub::LocalFile::path) == files.end())
    return fail(ErrorKind::NotFound, fmt::format("{} has no Dockerfile at its root", sources.files));
  const auto add = [&](Files more) { std::ranges::move(more, std::back_inserter(files)); };
  add(TRY(program_files(sources.program)));
  add(TRY(model_files(sources, session, fetch)));
  if (!sources.index.empty()) add(TRY(hub::list_folder(sources.index, "index/")));
  return files;
}

}  // namespace alcove::app
