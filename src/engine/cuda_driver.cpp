#include "engine/cuda_driver.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>

namespace alcove::engine {
namespace {

// The driver's C interface (CUDA Driver API): 0 is success.
using Init = int (*)(unsigned flags);
using Number = int (*)(int* value);
using Get = int (*)(int* device, int ordinal);
using Name = int (*)(char* name, int size, int device);
using Memory = int (*)(std::size_t* bytes, int device);

constexpr int kNoDevice = 100;          // CUDA_ERROR_NO_DEVICE
constexpr int kDriversDiffer = 803;     // CUDA_ERROR_SYSTEM_DRIVER_MISMATCH
constexpr int kDeviceUnavailable = 46;  // CUDA_ERROR_DEVICE_UNAVAILABLE

std::string meaning_of(int error) {
  switch (error) {
    case kNoDevice: return "the NVIDIA driver sees no device; start the container with one (--gpus all)";
    case kDriversDiffer:
      return "the container's libcuda is not the one of the driver; take it out of the image";
    case kDeviceUnavailable: return "the NVIDIA device is taken by another process";
    default: return fmt::format("the NVIDIA driver does not start (error {}); see nvidia-smi", error);
  }
}

template <class Function>
Function find(void* library, const char* name) {
  return reinterpret_cast<Function>(::dlsym(library, name));
}

}  // namespace

Result<CudaDevice> find_cuda_device(const CudaFiles& files) {
  const auto unavailable = [](std::string why) { return fail(ErrorKind::Unavailable, std::move(why)); };
  std::error_code ignored;
  if (!std::filesystem::exists(files.control, ignored))
    return unavailable(fmt::format("no NVIDIA device: {} is not there", files.control.string()));
  void* library = ::dlopen(files.library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return unavailable(
        fmt::format("{} cannot be opened; the container needs the driver's libraries (the NVIDIA "
                    "container toolkit mounts them)",
                    files.library));
  const auto init = find<Init>(library, "cuInit");
  const auto version = find<Number>(library, "cuDriverGetVersion"),
             count = find<Number>(library, "cuDeviceGetCount");
  const auto get = find<Get>(library, "cuDeviceGet");
  const auto name = find<Name>(library, "cuDeviceGetName");
  const auto memory = find<Memory>(library, "cuDeviceTotalMem_v2");
  if (!init || !version || !count || !get || !name || !memory)
    return unavailable(fmt::format("{} is not the NVIDIA driver's library", files.library));

  CudaDevice found;
  // The version can be asked before the start, which an old driver may refuse for its own reasons.
  if (version(&found.cuda) == 0 && found.cuda < kNeededCuda)
    return unavailable(
        fmt::format("the NVIDIA driver serves CUDA {}.{} and {}.{} is needed; update the driver",
                    found.cuda / 1000, found.cuda % 1000 / 10, kNeededCuda / 1000, kNeededCuda % 1000 / 10));
  if (const int error = init(0)) return unavailable(meaning_of(error));
  int devices = 0, device = 0;
  if (const int error = count(&devices)) return unavailable(meaning_of(error));
  if (devices == 0) return unavailable(meaning_of(kNoDevice));
  std::array<char, 256> text{};
  std::size_t bytes = 0;
  for (const int error : {get(&device, 0), name(text.data(), static_cast<int>(text.size()) - 1, device),
                          memory(&bytes, device)})
    if (error != 0) return unavailable(meaning_of(error));
  found.name = text.data();
  found.memory = bytes;
  return found;
}

}  // namespace alcove::engine
