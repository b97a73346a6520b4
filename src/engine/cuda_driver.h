#pragma once
// Whether this machine has an NVIDIA GPU that can be used, and if not, why.

#include <filesystem>
#include <string>

#include "base/result.h"

namespace alcove::engine {

// Of the CUDA that cmake/onnxruntime-cuda.txt's library is made for: 1000 · major + 10 · minor.
inline constexpr int kNeededCuda = 12000;

struct CudaDevice {
  std::string name;          // "NVIDIA L4"
  int cuda = 0;              // newest version the driver serves, as kNeededCuda
  std::uint64_t memory = 0;  // bytes, of which others may hold some
};

struct CudaFiles {
  std::filesystem::path control = "/dev/nvidiactl";  // there where a driver is loaded
  std::string library = "libcuda.so.1";              // the driver's half that programs open
};

// The first device. Unavailable, in a sentence that says what to do, when there is none, when the driver is
// not in this container, is too old, or does not answer. Opens no library where no driver is loaded.
Result<CudaDevice> find_cuda_device(const CudaFiles& files = {});

}  // namespace alcove::engine
