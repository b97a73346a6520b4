#pragma once
// What a Space is made of, gathered from this machine: its Dockerfile and README out of this program, the
// program itself, the models.

#include <filesystem>
#include <string>
#include <vector>

#include "hub/fetch.h"
#include "hub/folder.h"

namespace alcove::app {

enum class SpaceKind { AnswerSheet, PaperFinder, Other };

struct SpaceSources {
  SpaceKind kind = SpaceKind::AnswerSheet;
  // A folder, OWNER/NAME on the Hub, or addresses of files with their digests (hub::WebFile); the paper
  // finder may have none.
  std::vector<std::string> models;
  // Folder of the program and its libraries, or the address of a .tar.gz of it, which the image then fetches
  // by itself; empty: the program that is running.
  std::string program;
  std::string index;  // paper finder: the --data folder of an index made here; empty: none
  bool cuda = false;  // for hardware with a GPU
  std::string files;  // a folder whose files replace those of this program (Dockerfile, README.md, …)
};

// A folder of our own that goes with this object.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> make();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// The files to upload. Nothing is sent yet, so what is wrong with them is found first: models that are
// missing, empty, or pointers where weights should be; a program without its libraries. `scratch` receives
// the files that are inside this program.
Result<std::vector<hub::LocalFile>> gather_files(const SpaceSources& sources, const hub::Session& session,
                                                 const std::filesystem::path& scratch,
                                                 const hub::FetchOptions& fetch);

// What a folder of models is in a Space: of sheet readers the files that are read, of any other all of them.
Result<std::vector<hub::LocalFile>> files_of_models(const std::filesystem::path& folder);

// The models alone, as they lie below models/ of a Space: for the answer sheets exactly the files the reader
// takes, else whatever there is.
Result<std::vector<hub::LocalFile>> gather_models(const SpaceSources& sources, const hub::Session& session,
                                                  const std::filesystem::path& scratch,
                                                  const hub::FetchOptions& fetch);

// The index alone, as it lies below index/: what serves, without what an import or a server left beside it.
Result<std::vector<hub::LocalFile>> gather_index(const SpaceSources& sources);

}  // namespace alcove::app
