#include "engine/choice.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "graph/builder.h"

namespace alcove::engine {
namespace {

// A convolution and a product, which load the libraries that real networks need.
Result<void> try_out(Runtime& runtime) {
  constexpr std::array<float, 4> kImage{1, 2, 3, 4};
  graph::Builder builder("trial");
  const auto image = builder.input({"image", graph::ElementType::F32, {{1, ""}, {1, ""}, {2, ""}, {2, ""}}});
  const std::array<float, 1> three{3};
  const std::array<float, 4> swap{0, 1, 1, 0};
  const auto tripled = builder.node("Conv", {image, builder.floats(three, {1, 1, 1, 1})});
  builder.node("MatMul", {tripled, builder.floats(swap, {2, 2})}, {}, "out");
  builder.output({"out", graph::ElementType::F32, {{1, ""}, {1, ""}, {2, ""}, {2, ""}}});
  const auto network =
      runtime.network({.onnx = std::move(builder).finish().write_referencing("/"), .base = "/"});
  const Shape shape{1, 1, 2, 2};
  const auto compiled = TRY(network->compile(std::span(&shape, 1)));
  const Input input{shape, kImage};
  const auto outputs = TRY(compiled->run(std::span(&input, 1)));
  if (outputs.size() == 1 && outputs.front().values == std::vector<float>{6, 3, 12, 9}) return {};
  return fail(ErrorKind::Unavailable, "a small network gave wrong numbers there");
}

Result<Chosen> on_cuda(const Openers& openers) {
  const auto device = TRY(openers.find_device());
  auto* runtime = TRY(openers.open(Backend::OnnxRuntime, Device::Cuda));
  if (const auto tried = try_out(*runtime); !tried) return fail_in(device.name, tried.error());
  return Chosen{
      runtime, Device::Cuda, device.name,
      fmt::format("{}, {:.1f} GB, driver for CUDA {}.{}", device.name,
                  static_cast<double>(device.memory) / 1e9, device.cuda / 1000, device.cuda % 1000 / 10)};
}

}  // namespace

Result<Chosen> choose(const Choice& choice, const Openers& openers) {
  if (choice.device == Device::Cuda && choice.backend == Backend::OpenVino)
    return fail(ErrorKind::BadInput, "OpenVINO is the engine of CPUs here; CUDA goes with onnxruntime");
  std::string reason = "asked for";
  if (choice.device != Device::Cpu && choice.backend != Backend::OpenVino) {
    auto cuda = on_cuda(openers);
    if (cuda) return cuda;
    reason = cuda.error().message;
  }
  const auto backend = choice.backend == Backend::Auto ? Backend::OpenVino : choice.backend;
  auto* runtime = TRY(openers.open(backend, Device::Cpu));
  return Chosen{runtime, Device::Cpu, runtime->cpu(), reason};
}

}  // namespace alcove::engine
