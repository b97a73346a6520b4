#pragma once
// What a Space is made of, gathered from this machine: its Dockerfile and README out of this program, the
// program itself, the models.

#include <filesystem>
#include <string>
#include <vector>

#include "hub/fetch.h"
#include "hub/folder.h"

namespace alcove::app {

enum class SpaceKind { AnswerSheet, PaperFinder };

struct SpaceSources {
  SpaceKind kind = SpaceKind::AnswerSheet;
  std::string models;   // a folder, or OWNER/NAME on the Hub; may be empty for the paper finder
  std::string program;  // folder of the program and its libraries; empty: this one
  std::string index;    // paper finder: a folder with an index made here; empty: none
  bool cuda = false;    // for hardware with a GPU
  std::string files;    // a folder whose files replace those of this program (Dockerfile, README.md, …)
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

}  // namespace alcove::app
