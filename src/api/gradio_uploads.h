#pragma once
// Files that Gradio's clients send ahead of a call and then name in it. In memory, for a while.

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/bytes.h"

namespace alcove::api {

struct GradioFile {
  std::string name;  // as the client calls it; no path
  std::string content;
};

struct UploadLimits {
  std::uint64_t bytes = 128 << 20;  // of all of them; the oldest go first
  std::chrono::seconds age{600};
};

// Safe from any thread.
class GradioUploads {
 public:
  explicit GradioUploads(UploadLimits limits = {}) : limits_(limits) {}

  // Gives the path by which a call names it; it holds the content's sha256, so that nobody guesses another's.
  std::string put(std::string name, Bytes content);
  std::shared_ptr<const GradioFile> find(const std::string& path) const;  // null: gone, or never here

 private:
  using Clock = std::chrono::steady_clock;
  struct Kept {
    std::shared_ptr<const GradioFile> file;
    Clock::time_point since;
  };
  void make_room(std::uint64_t bytes);

  const UploadLimits limits_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Kept> files_;
  std::uint64_t bytes_ = 0;
};

}  // namespace alcove::api
