#pragma once
// One model for many input shapes: which are compiled, imported, kept and let go.

#include <filesystem>
#include <memory>
#include <vector>

#include "engine/blob_cache.h"
#include "engine/plugin.h"

namespace alcove::engine {

// One more takes the place of the one least recently used. A shape of YOLOv8n at 640 × 480 holds some 40 MB;
// pages of more than a few shapes are rare, and coming back from a blob takes a tenth of a second.
inline constexpr std::size_t kKeptShapes = 4;

struct SessionSource {
  std::vector<graph::Port> inputs;
  Precision precision = Precision::F32;
  BlobKey key;  // but for the shape
  std::filesystem::path cache;
  std::vector<std::filesystem::path> files;  // read again at each compilation; refused once they have changed
};

// A free first dimension is the batch. One input alone is compiled as such, which is up to half again as fast
// for convolutions; the first batch is compiled for any count, costs nothing per count after that, and serves
// single inputs too.
std::unique_ptr<Session> make_session(std::unique_ptr<Network> network, SessionSource source);

}  // namespace alcove::engine
