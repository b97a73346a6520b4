#include "app/space_files.h"

#include <fmt/format.h>
#include <link.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <span>
#include <string_view>

#include "api/assets.h"
#include "app/workflow_text.h"
#include "hub/web_file.h"
#include "sheets/model_folder.h"
#include "store/paper_folder.h"

namespace alcove::app {

std::span<const api::EmbeddedFile> embedded_files();  // deploy/, as the build put it in

namespace {

namespace fs = std::filesystem;
using Files = std::vector<hub::LocalFile>;

const char* folder_of(SpaceKind kind) {
  return kind == SpaceKind::AnswerSheet ? "/answer-sheet/" : "/paper-finder/";
}

// What the page of a Space offers those who duplicate it.
constexpr std::string_view kSuggestsCpu = "suggested_hardware: cpu-basic";
constexpr std::string_view kSuggestsGpu = "suggested_hardware: t4-small";

// The Dockerfile is one of two, and README.md goes with it.
Result<Files> own_files(SpaceKind kind, bool cuda, const fs::path& scratch) {
  std::error_code ignored;
  fs::create_directory(scratch, ignored);
  for (const auto& file : embedded_files()) {
    if (!file.path.starts_with(folder_of(kind))) continue;
    auto name = std::string(file.path.substr(std::string_view(folder_of(kind)).size()));
    if (name == (cuda ? "Dockerfile" : "Dockerfile.cuda")) continue;
    if (name == "Dockerfile.cuda") name = "Dockerfile";
    std::string text(reinterpret_cast<const char*>(file.begin),
                     static_cast<std::size_t>(file.end - file.begin));
    if (const auto at = text.find(kSuggestsCpu); cuda && name == "README.md" && at != std::string::npos)
      text.replace(at, kSuggestsCpu.size(), kSuggestsGpu);
    std::ofstream out(scratch / name, std::ios::binary);
    out << text;
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

// Every image has these: the C library and what belongs to its very version.
bool of_the_system(std::string_view name) {
  constexpr std::string_view kSystem[] = {"ld-linux-x86-64.so.2", "libc.so.6",   "libm.so.6",
                                          "libpthread.so.0",      "libdl.so.2",  "librt.so.1",
                                          "libresolv.so.2",       "libutil.so.1"};
  return std::ranges::find(kSystem, name) != std::end(kSystem);
}

// The libraries this process was linked with, under the names it asked for them by.
std::vector<fs::path> own_libraries() {
  std::vector<fs::path> files;
  const auto note = [](dl_phdr_info* info, std::size_t, void* list) {
    const fs::path file = info->dlpi_name;
    if (file.is_absolute() && !of_the_system(file.filename().string()))
      static_cast<std::vector<fs::path>*>(list)->push_back(file);
    return 0;
  };
  ::dl_iterate_phdr(note, &files);
  return files;
}

// The program that is running. A folder of script/release goes up as it is; out of a build tree the same
// folder is put together.
Result<Files> running_program() {
  std::error_code failed;
  const auto program = fs::read_symlink("/proc/self/exe", failed);
  const auto beside = program.parent_path();
  if (fs::exists(beside / "engine", failed)) return hub::list_folder(beside, "program/");
  Files files;
  add_file(files, "program/alcove", program);
  add_file(files, "program/libpdfium.so", beside / "libpdfium.so");
  for (const char* library : {"libalcove_engine.so", "libalcove_ort.so"})
    add_file(files, std::string("program/engine/") + library, beside / library);
  for (const auto& entry : fs::directory_iterator(ALCOVE_OPENVINO_FOLDER, failed))
    add_file(files, "program/engine/" + entry.path().filename().string(), entry.path());
  for (const auto& file : own_libraries()) add_file(files, "program/lib/" + file.filename().string(), file);
  return files;
}

// The Dockerfile with the lines that fetch the program in the place of the one that copies it.
Result<void> fetch_in_image(Files& files, const std::string& address, const fs::path& scratch) {
  const auto archive = TRY(hub::parse_web_file(address));
  const auto dockerfile = std::ranges::find(files, "Dockerfile", &hub::LocalFile::path);
  std::ifstream in(dockerfile->file, std::ios::binary);
  const auto text =
      fetching_dockerfile({std::istreambuf_iterator<char>(in), {}}, archive.url, archive.sha256);
  if (text.empty())
    return fail(ErrorKind::BadInput,
                fmt::format("{} has no line `COPY program/ …` that an address could take "
                            "the place of",
                            dockerfile->file.string()));
  const auto changed = scratch / "Dockerfile";
  std::ofstream out(changed, std::ios::binary);
  out << text;
  out.close();
  if (!out) return fail(ErrorKind::Unavailable, fmt::format("{} cannot be written", scratch.string()));
  *dockerfile = {"Dockerfile", changed, text.size()};
  return {};
}

Result<Files> program_files(const std::string& folder) {
  if (folder.empty()) return running_program();
  auto files = TRY(hub::list_folder(folder, "program/"));
  if (std::ranges::find(files, "program/alcove", &hub::LocalFile::path) == files.end())
    return fail(ErrorKind::NotFound,
                fmt::format("{} has no `alcove` in it, which the Space is to run", folder));
  return files;
}

// Found by the file that names their addresses, fetched while the Space is built. None, where they all come
// from the Hub.
constexpr const char* kAddresses = "weights.txt";

Result<void> check_weights(const Files& files) {
  for (const auto& file : files) {
    if (file.size == 0 && file.file.filename() != kAddresses)
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
  std::error_code failed;
  const bool by_address = fs::exists(folder / kAddresses, failed);
  const auto found = sheets::find_models(folder);
  if (!found.complete() && !by_address) return fail(ErrorKind::NotFound, found.missing_sentence());
  Files files;
  if (by_address) add_file(files, std::string("models/") + kAddresses, folder / kAddresses);
  for (const auto& part :
       {found.detector, found.second_detector, found.register_reader, found.subject_reader})
    if (part) add_file(files, "models/" + part->filename().string(), *part);
  return files;
}

struct ModelPlace {
  fs::path folder;
  fs::path within;  // whose files those of the folder may be links to
};

Result<ModelPlace> models_from_web(const std::vector<std::string>& addresses, const hub::Session& session,
                                   const fs::path& scratch, const hub::FetchOptions& fetch) {
  const ModelPlace place{scratch / "models", session.settings().home / "alcove" / "files"};
  std::error_code failed;
  fs::create_directory(place.folder, failed);
  for (const auto& address : addresses) {
    if (!hub::is_web_address(address))
      return fail(ErrorKind::BadInput,
                  "--models takes one folder, one OWNER/NAME, or addresses; not some of each");
    const auto file = TRY(hub::parse_web_file(address));
    const auto here = TRY(hub::fetch_web_file(session.client(), file, place.within, fetch.progress));
    fs::create_symlink(here, place.folder / file.name, failed);
    if (failed) return fail(ErrorKind::BadInput, fmt::format("two of the models are called {}", file.name));
  }
  return place;
}

Result<ModelPlace> models_place(const std::vector<std::string>& models, const hub::Session& session,
                                const fs::path& scratch, const hub::FetchOptions& fetch) {
  std::error_code failed;
  if (models.size() > 1 || hub::is_web_address(models.front()))
    return models_from_web(models, session, scratch, fetch);
  const auto& only = models.front();
  if (fs::is_directory(only, failed)) return ModelPlace{only, only};
  const auto repo = hub::parse_repo(only, hub::RepoKind::Model);
  if (!repo || repo->owner().empty())
    return fail(ErrorKind::NotFound,
                fmt::format("{} is neither a folder, nor OWNER/NAME of a model, nor an address; say with "
                            "--models where the weights are",
                            only));
  const auto folder = TRY(hub::fetch_snapshot(session, *repo, "main", {}, fetch)).folder;
  return ModelPlace{folder, folder.parent_path().parent_path()};
}

}  // namespace

Result<Files> files_of_models(const fs::path& folder) {
  if (auto sheets = sheet_models(folder)) return sheets;
  return hub::list_folder(folder, "models/");
}

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

Result<Files> gather_models(const SpaceSources& sources, const hub::Session& session, const fs::path& scratch,
                            const hub::FetchOptions& fetch) {
  if (sources.models.empty()) return Files{};
  const auto place = TRY(models_place(sources.models, session, scratch, fetch));
  auto files =
      TRY(sources.kind == SpaceKind::AnswerSheet ? sheet_models(place.folder)
                                                 : hub::list_folder(place.folder, "models/", place.within));
  TRY(check_weights(files));
  return files;
}

Result<Files> gather_index(const SpaceSources& sources) {
  Files files;
  if (sources.index.empty()) return files;
  const auto file = store::PaperFolder(store::index_folder(sources.index)).current();
  TRY(store::PaperIndex::open(file));  // here, or the Space says in its log that it is none
  add_file(files, "index/papers.db", file);
  return files;
}

Result<Files> gather_files(const SpaceSources& sources, const hub::Session& session, const fs::path& scratch,
                           const hub::FetchOptions& fetch) {
  auto files = TRY(sources.files.empty() ? own_files(sources.kind, sources.cuda, scratch / "own")
                                         : hub::list_folder(sources.files));
  if (std::ranges::find(files, "Dockerfile", &hub::LocalFile::path) == files.end())
    return fail(ErrorKind::NotFound, fmt::format("{} has no Dockerfile at its root", sources.files));
  const auto add = [&](Files more) { std::ranges::move(more, std::back_inserter(files)); };
  if (hub::is_web_address(sources.program))
    TRY(fetch_in_image(files, sources.program, scratch));
  else
    add(TRY(program_files(sources.program)));
  add(TRY(gather_models(sources, session, scratch, fetch)));
  add(TRY(gather_index(sources)));
  return files;
}

}  // namespace alcove::app
