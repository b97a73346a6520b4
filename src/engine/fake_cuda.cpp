// Stands for libcuda.so.1 in tests. The environment says what it answers: FAKE_CUDA_VERSION, FAKE_CUDA_INIT
// (an error), FAKE_CUDA_DEVICES.

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace {
int told(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text ? std::atoi(text) : otherwise;
}
}  // namespace

extern "C" {
int cuInit(unsigned) { return told("FAKE_CUDA_INIT", 0); }
int cuDriverGetVersion(int* version) {
  *version = told("FAKE_CUDA_VERSION", 12040);
  return 0;
}
int cuDeviceGetCount(int* count) {
  *count = told("FAKE_CUDA_DEVICES", 1);
  return 0;
}
int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return 0;
}
int cuDeviceGetName(char* name, int size, int) {
  std::strncpy(name, "NVIDIA Fake", static_cast<std::size_t>(size));
  return 0;
}
int cuDeviceTotalMem_v2(std::size_t* bytes, int) {
  *bytes = std::size_t{24'000'000'000};
  return 0;
}
}
