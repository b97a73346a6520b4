// libalcove_ort.so: ONNX Runtime behind plugin.h, on the CPU or on an NVIDIA GPU. Nothing of it is visible
// but one entry, and no exception leaves. It links nothing: ONNX Runtime's own library is opened when it is
// asked for, from lib/ beside this one or from where script/bootstrap left it.

#include <dlfcn.h>

#include <array>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>

#include "engine/device_trouble.h"
#include "engine/plugin.h"
#include "engine/ring.h"

namespace alcove::engine {
namespace {

#ifdef __SANITIZE_ADDRESS__
// The sanitizer opens libraries in our place, and does not look where we would.
constexpr const char* kLibrary = ALCOVE_ONNXRUNTIME_LIBRARY;
#else
constexpr const char* kLibrary = "libonnxruntime.so.1";
#endif
// The oldest version of the C API that has every function called here; later libraries still give it.
constexpr std::uint32_t kApiVersion = 17;

// What went wrong, with the device's troubles told from the model's.
std::unexpected<Error> failure(ErrorKind kind, const std::string& what, const std::string& reason) {
  const auto trouble = trouble_in(reason);
  const auto message = what + ": " + reason.substr(0, reason.find('\n'));
  if (trouble == Trouble::Full) return fail(ErrorKind::Unavailable, message, kDeviceFull);
  if (trouble == Trouble::Lost) return fail(ErrorKind::Unavailable, message, kDeviceLost);
  return fail(kind, message);
}

template <class Action>
auto guarded(ErrorKind kind, const std::string& what, Action&& action) -> decltype(action()) {
  try {
    return action();
  } catch (const std::exception& exception) {
    return failure(kind, what, exception.what());
  } catch (...) {
    return fail(kind, what + ": the runtime failed without a reason");
  }
}

// What the runtime would print; its errors reach us as exceptions.
void ORT_API_CALL drop(void*, OrtLoggingLevel, const char*, const char*, const char*, const char*) {}

struct Onnxruntime {  // opened once, never closed
  Ort::Env env{ORT_LOGGING_LEVEL_FATAL, "alcove", drop, nullptr};
  std::string version;
  Device device = Device::Cpu;

  // Memory that the device reads and writes without a copy in between.
  Ort::MemoryInfo host_memory() const {
    if (device == Device::Cuda) return {"CudaPinned", OrtDeviceAllocator, 0, OrtMemTypeCPUOutput};
    return Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  }
};

// TF32 keeps ten bits of a number's twenty-four: not what f32 promises.
const std::map<std::string, std::string> kCudaOptions{
    {"device_id", "0"},
    {"cudnn_conv_algo_search", "HEURISTIC"},  // EXHAUSTIVE takes seconds at every new shape
    {"arena_extend_strategy", "kSameAsRequested"},
    {"use_tf32", "0"},
};

void add_cuda(Ort::SessionOptions& options) {
  const auto& api = Ort::GetApi();
  OrtCUDAProviderOptionsV2* made = nullptr;
  Ort::ThrowOnError(api.CreateCUDAProviderOptions(&made));
  const std::unique_ptr<OrtCUDAProviderOptionsV2, decltype(api.ReleaseCUDAProviderOptions)> cuda(
      made, api.ReleaseCUDAProviderOptions);
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : kCudaOptions) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  Ort::ThrowOnError(api.UpdateCUDAProviderOptions(cuda.get(), keys.data(), values.data(), keys.size()));
  options.AppendExecutionProvider_CUDA_V2(*cuda);
}

Ort::SessionOptions options_for(Device device, int threads) {
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(threads);
  options.SetInterOpNumThreads(1);
  // Shapes come and go; a plan kept for each would keep its memory too.
  options.DisableMemPattern();
  // Threads that spin while they wait burn a container's quota.
  options.AddConfigEntry("session.intra_op.allow_spinning", "0");
  // The arena that open() registered.
  options.AddConfigEntry("session.use_env_allocators", "1");
  if (device == Device::Cuda) add_cuda(options);
  return options;
}

// Host memory of a request for one input, kept as large as its largest value.
class Staging {
 public:
  Ort::Value hold(const Input& input, Ort::Allocator& allocator, const Ort::MemoryInfo& memory) {
    return std::visit(
        [&](auto values) {
          const std::size_t bytes = values.size_bytes();
          if (bytes > size_) {
            held_.reset();
            held_.emplace(allocator.GetAllocation(bytes));
            size_ = bytes;
          }
          std::memcpy(held_->get(), values.data(), bytes);
          using Number = typename decltype(values)::value_type;
          return Ort::Value::CreateTensor<std::remove_const_t<Number>>(
              memory, static_cast<std::remove_const_t<Number>*>(held_->get()), values.size(),
              input.shape.data(), input.shape.size());
        },
        input.values);
  }

 private:
  std::optional<Ort::MemoryAllocation> held_;
  std::size_t size_ = 0;
};

// The one session of a network: its shapes are decided at each run.
class Model {
 public:
  Model(Onnxruntime& runtime, const NetworkSource& source)
      : session_(make(runtime, source)), memory_(runtime.host_memory()), allocator_(session_, memory_) {
    for (std::size_t i = 0; i < session_.GetInputCount(); ++i)
      inputs_.emplace_back(session_.GetInputNameAllocated(i, defaults_).get());
    for (std::size_t i = 0; i < session_.GetOutputCount(); ++i)
      outputs_.emplace_back(session_.GetOutputNameAllocated(i, defaults_).get());
    for (int i = 0; i < source.requests; ++i)
      requests_.add({Ort::IoBinding(session_), std::vector<Staging>(inputs_.size())});
  }

  bool gives_f32() const {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const auto type = session_.GetOutputTypeInfo(i);
      if (type.GetONNXType() != ONNX_TYPE_TENSOR ||
          type.GetTensorTypeAndShapeInfo().GetElementType() != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)
        return false;
    }
    return true;
  }

  std::vector<Array> run(std::span<const Input> inputs) {
    const auto request = requests_.take();
    auto& binding = request->binding;
    const Unbind unbind{binding};
    for (std::size_t i = 0; i < inputs.size(); ++i)
      binding.BindInput(inputs_[i].c_str(), request->staging[i].hold(inputs[i], allocator_, memory_));
    for (const auto& name : outputs_) binding.BindOutput(name.c_str(), memory_);
    session_.Run(Ort::RunOptions{nullptr}, binding);
    binding.SynchronizeOutputs();
    std::vector<Array> arrays;
    for (const auto& value : binding.GetOutputValues()) {
      const auto info = value.GetTensorTypeAndShapeInfo();
      const auto* numbers = value.GetTensorData<float>();
      arrays.push_back({info.GetShape(), {numbers, numbers + info.GetElementCount()}});
    }
    return arrays;
  }

 private:
  struct Request {
    Ort::IoBinding binding;
    std::vector<Staging> staging;
  };
  struct Unbind {  // outputs are memory of the arena, for the next run to use
    Ort::IoBinding& binding;
    ~Unbind() {
      Ort::GetApi().ClearBoundInputs(binding);
      Ort::GetApi().ClearBoundOutputs(binding);
    }
  };

  static Ort::Session make(Onnxruntime& runtime, const NetworkSource& source) {
    auto options = options_for(runtime.device, source.threads);
    options.AddConfigEntry("session.model_external_initializers_file_folder_path", source.base.c_str());
    return {runtime.env, source.onnx.data(), source.onnx.size(), options};
  }

  Ort::Session session_;
  const Ort::MemoryInfo memory_;
  Ort::Allocator allocator_;
  Ort::AllocatorWithDefaultOptions defaults_;
  std::vector<std::string> inputs_, outputs_;
  Ring<Request> requests_;  // before the allocator goes
};

class OnnxCompiled : public Compiled {
 public:
  explicit OnnxCompiled(std::shared_ptr<Model> model) : model_(std::move(model)) {}

  // Types and ranks were checked before: what the nodes still refuse is the shape.
  Result<std::vector<Array>> run(std::span<const Input> inputs) override {
    return guarded(ErrorKind::BadInput, "the model cannot take an input of that shape",
                   [&]() -> Result<std::vector<Array>> { return model_->run(inputs); });
  }
  Result<std::string> write_blob() override {
    return fail(ErrorKind::Unsupported, "ONNX Runtime keeps no compiled models here");
  }

 private:
  std::shared_ptr<Model> model_;
};

class OnnxNetwork : public Network {
 public:
  OnnxNetwork(Onnxruntime& runtime, NetworkSource source) : runtime_(runtime), source_(std::move(source)) {}

  // One session serves every shape; the weights would lie on the device once more for each.
  Result<std::shared_ptr<Compiled>> compile(std::span<const Shape>) override {
    using Made = Result<std::shared_ptr<Compiled>>;
    std::lock_guard lock(mutex_);
    return guarded(ErrorKind::Unreadable, "the model cannot be taken", [&]() -> Made {
      if (!model_) model_ = std::make_shared<Model>(runtime_, source_);
      if (!model_->gives_f32())
        return fail(ErrorKind::Unsupported, "the model has an output of another type; only f32 is read");
      return std::make_shared<OnnxCompiled>(model_);
    });
  }

  Result<std::shared_ptr<Compiled>> import_blob(Bytes, std::shared_ptr<const void>) override {
    return fail(ErrorKind::Unsupported, "ONNX Runtime keeps no compiled models here");
  }

 private:
  Onnxruntime& runtime_;
  const NetworkSource source_;
  std::mutex mutex_;
  std::shared_ptr<Model> model_;
};

std::string cpu_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("model name"))
      if (const auto at = line.find(": "); at != std::string::npos) return line.substr(at + 2);
  return "unknown CPU";
}

class OnnxRuntime : public Runtime {
 public:
  explicit OnnxRuntime(Onnxruntime runtime) : runtime_(std::move(runtime)) {}

  std::string version() const override { return "onnxruntime-" + runtime_.version; }
  std::string name() const override { return "ONNX Runtime " + runtime_.version; }
  std::string cpu() const override { return cpu_name(); }
  bool has_bf16() const override { return false; }
  bool bf16_is_faster() const override { return false; }
  bool has_f16() const override { return true; }
  bool keeps_blobs() const override { return false; }
  std::unique_ptr<Network> network(NetworkSource source) override {
    return std::make_unique<OnnxNetwork>(runtime_, std::move(source));
  }

 private:
  Onnxruntime runtime_;
};

Result<std::string> open_library() {
  const std::string remedy = "; script/bootstrap --test fetches it, or --cuda for NVIDIA GPUs";
  // RTLD_LOCAL, never closed: as the library around us.
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* reason = ::dlerror();
    return fail(ErrorKind::Unavailable, std::string(kLibrary) + " cannot be opened (" +
                                            (reason ? reason : "no reason given") + ")" + remedy);
  }
  using Entry = const OrtApiBase*(ORT_API_CALL*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(library, "OrtGetApiBase"));
  const auto* base = entry ? entry() : nullptr;
  const auto* api = base ? base->GetApi(kApiVersion) : nullptr;
  if (!api)
    return fail(ErrorKind::Unavailable, std::string(kLibrary) + " is too old or not ONNX Runtime's" + remedy);
  Ort::InitApi(api);
  return std::string(base->GetVersionString());
}

Result<Runtime*> open(Device device) {
  const auto version = TRY(open_library());
  return guarded(ErrorKind::Unavailable, "ONNX Runtime does not start", [&]() -> Result<Runtime*> {
    Onnxruntime runtime{.version = version, .device = device};
    // An arena that grows by what is asked for: doubled, it would keep twice the largest batch for good.
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    runtime.env.CreateAndRegisterAllocator(memory, Ort::ArenaCfg(0, /*kSameAsRequested*/ 1, -1, -1));
    options_for(device, 1);  // finds the provider's libraries, or says which of them is missing
    return new OnnxRuntime(std::move(runtime));
  });
}

}  // namespace
}  // namespace alcove::engine

extern "C" __attribute__((visibility("default"))) const alcove::engine::Plugin* alcove_engine_plugin() {
  static constexpr alcove::engine::Plugin kPlugin{.open = alcove::engine::open};
  return &kPlugin;
}
