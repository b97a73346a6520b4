#pragma once
// Compiled models kept on disk, so that a restart takes milliseconds. docs/formats/compiled-model.md has the
// format.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace alcove::engine {

// Everything that a compiled model depends on.
struct BlobKey {
  std::string weights;    // sha256 of the weight file
  std::string graph;      // sha256 of the ONNX proto
  std::string shape;      // "1x3x640x480"; "?" for a size left free
  std::string precision;  // "f32", "bf16"
  std::string cpu;        // model and features
  std::string engine;     // the runtime's build
  std::string program;    // ours

  std::string text() const;       // a line for each
  std::string file_name() const;  // of weights, shape, precision and CPU: a newer program or engine takes its
                                  // predecessor's place, and the folder does not grow with every release
};

struct Blob {
  Bytes bytes;
  std::shared_ptr<const void> owner;  // of the mapping
};

// Gives the memory of what was read so far back to the system; where it is touched again it is read again.
void forget(const Blob& blob);

// Any number of processes may share a folder. A folder that cannot be read or written costs time, never an
// answer.
class BlobCache {
 public:
  explicit BlobCache(std::filesystem::path folder);  // empty: keeps and finds nothing

  // The blob kept for exactly this key, whole by its sha256; nothing otherwise, with a log line when a file
  // was there.
  std::optional<Blob> find(const BlobKey& key) const;
  // Written aside and renamed into place; the folder is made when missing.
  void keep(const BlobKey& key, Bytes blob) const;

 private:
  std::filesystem::path folder_;
};

// The CPU's model and feature flags as the kernel names them, digested; "unknown" without /proc.
std::string cpu_identity(const std::filesystem::path& cpuinfo = "/proc/cpuinfo");

}  // namespace alcove::engine
