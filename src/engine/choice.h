#pragma once
// Which runtime serves a choice, and why.

#include <functional>
#include <string>

#include "engine/cuda_driver.h"
#include "engine/plugin.h"

namespace alcove::engine {

struct Chosen {
  Runtime* runtime = nullptr;
  Device device = Device::Cpu;
  std::string hardware;  // "AMD EPYC", "NVIDIA L4"
  std::string reason;
};

struct Openers {  // what a choice asks of the world
  std::function<Result<CudaDevice>()> find_device;
  std::function<Result<Runtime*>(Backend, Device)> open;
};

// CUDA is taken when a device is found, the runtime starts on it, and a small network that ran there gave
// the right numbers; otherwise the CPU, with the reason. An error when that is not to be had either, or
// when the choice contradicts itself (BadInput).
Result<Chosen> choose(const Choice& choice, const Openers& openers);

}  // namespace alcove::engine
