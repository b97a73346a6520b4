// Any bytes as safetensors, and every number of every tensor in it; the cheap sniffers take the same bytes.

#include "weights/safetensors.h"

#include "weights/onnx_shape.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  const Bytes bytes{data, size};
  if (const auto read = weights::read_safetensors(bytes, nullptr))
    for (const auto& [name, tensor] : read->tensors) (void)weights::to_floats(tensor);
  (void)weights::onnx_shape(bytes);
  return 0;
}
