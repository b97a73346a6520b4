#pragma once
// What is known of an upload in parts that has begun, kept on disk: a later run sends only the parts that are
// missing.

#include <optional>
#include <string>
#include <vector>

#include "hub/settings.h"

namespace alcove::hub {

struct Part {
  std::size_t number = 0;
  std::string address;
  std::string etag;  // from the store that took the part; empty until then
};

struct PartUpload {
  std::string completion;   // where the list of parts goes in the end
  std::uint64_t chunk = 0;  // bytes of each part but the last
  std::vector<Part> parts;  // by number, from one on
};

// Notes about one content. They are a help: whatever goes wrong with the file is as if there was none. The
// addresses in it are signed, so it is readable by its owner alone.
class PartNotes {
 public:
  PartNotes(const Settings& settings, const std::string& sha256);
  ~PartNotes();
  PartNotes(const PartNotes&) = delete;
  PartNotes& operator=(const PartNotes&) = delete;

  // An upload of the same parts that an earlier run began; nothing when there is none.
  std::optional<PartUpload> read(const PartUpload& like);
  void begin(const PartUpload& upload);
  void done(const Part& part);  // from any thread
  void forget();

 private:
  std::filesystem::path path_;
  std::string endpoint_;
  int file_ = -1;
};

}  // namespace alcove::hub
