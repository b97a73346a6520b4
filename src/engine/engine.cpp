#include "engine/engine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>

#include "base/log.h"
#include "base/sha256.h"
#include "base/threads.h"
#include "base/version.h"
#include "engine/choice.h"
#include "engine/fallback.h"
#include "engine/gather.h"
#include "engine/half_gate.h"
#include "engine/loader.h"
#include "engine/session.h"
#include "graph/half.h"
#include "graph/quantize.h"

namespace alcove::engine {
namespace {

constexpr int kMaxThreads = 256;
constexpr int kMaxRequests = 64;

template <class Value>
struct Name {
  std::string_view text;
  Value value;
};
constexpr std::array kPrecisions{Name{"auto", Precision::Auto}, Name{"f32", Precision::F32},
                                 Name{"bf16", Precision::BF16}, Name{"f16", Precision::F16},
                                 Name{"int8", Precision::I8}};
constexpr std::array kDevices{Name{"auto", Device::Auto}, Name{"cpu", Device::Cpu},
                              Name{"cuda", Device::Cuda}};
constexpr std::array kBackends{Name{"auto", Backend::Auto}, Name{"openvino", Backend::OpenVino},
                               Name{"onnxruntime", Backend::OnnxRuntime}};

// Tokens of texts run together, padding included: enough to keep a device's units busy; on a CPU few enough
// to stay in its caches.
constexpr std::size_t kCpuTokens = 2048;
constexpr std::size_t kCudaTokens = 32768;
constexpr std::size_t kCudaBatch = 16;  // pages, or lines, run together

template <class Value, std::size_t count>
Result<Value> parse(const std::array<Name<Value>, count>& names, std::string_view text,
                    std::string_view what) {
  std::vector<std::string_view> known;
  for (const auto& name : names) {
    if (name.text == text) return name.value;
    known.push_back(name.text);
  }
  const auto last = known.back();
  known.pop_back();
  return fail(ErrorKind::BadInput,
              fmt::format("\"{}\" is no {}; use {} or {}", text, what, fmt::join(known, ", "), last));
}

class PluginEngine : public Engine {
 public:
  explicit PluginEngine(Chosen chosen) : chosen_(std::move(chosen)), runtime_(*chosen_.runtime) {}

  Result<std::unique_ptr<Session>> load(const graph::Model& model, const CacheKey& key,
                                        const Settings& settings) override {
    const auto plan = TRY(plan_of(model, key));
    auto session = TRY(start(plan, settings));
    if (chosen_.device != Device::Cuda) return session;
    auto on_cpu = [plan, settings]() -> Result<std::unique_ptr<Session>> {
      auto cpu_settings = settings;
      if (settings.precision == Precision::F16) cpu_settings.precision = Precision::Auto;
      auto* cpu = static_cast<PluginEngine*>(TRY(open_engine({Device::Cpu})));
      return cpu->start(plan, cpu_settings);
    };
    return gathering(with_fallback(std::move(session), std::move(on_cpu), device_lost()), model.inputs(),
                     model.outputs(), kCudaBatch);
  }

  std::string description() const override {
    if (chosen_.device == Device::Cuda) return fmt::format("{}, {}", runtime_.name(), chosen_.hardware);
    const int threads = available_threads();
    return fmt::format("{}, {}, {} thread{}", runtime_.name(), chosen_.hardware, threads,
                       threads == 1 ? "" : "s");
  }
  bool has_bf16() const override { return runtime_.has_bf16(); }
  bool bf16_is_faster() const override { return runtime_.bf16_is_faster(); }
  Device device() const override { return lost() ? Device::Cpu : chosen_.device; }
  std::string reason() const override {
    return lost() ? fmt::format("{} was lost under way; a restart finds it again if it is well",
                                chosen_.hardware)
                  : chosen_.reason;
  }
  std::size_t batch_tokens() const override {
    return chosen_.device == Device::Cuda ? kCudaTokens : kCpuTokens;
  }

 private:
  // All that is kept of a model, which may go.
  struct Plan {
    std::string onnx;
    std::vector<graph::Port> inputs;
    std::vector<std::filesystem::path> files;
    BlobKey key;  // but for shape, precision and engine
    bool in_eight_bits = false;
  };

  Result<Plan> plan_of(const graph::Model& model, const CacheKey& key) const {
    const auto runs = [](const graph::Port& port) {
      return port.type == graph::ElementType::F32 || port.type == graph::ElementType::I64;
    };
    // Seen from the root, every weight file lies inside the folder that the runtime keeps to, links and all.
    Plan plan{.onnx = model.write_referencing("/"),
              .inputs = model.inputs(),
              .key = {.weights = key.weights_sha256,
                      .graph = sha256_hex(as_bytes(model.write_referencing())),
                      .cpu = cpu_,
                      .program = std::string(kVersion)},
              .in_eight_bits = model.metadata().contains(graph::kQuantizedFrom)};
    for (const auto& file : model.external_files()) plan.files.push_back(file.path);
    if (plan.inputs.empty() || !std::ranges::all_of(plan.inputs, runs))
      return fail(ErrorKind::Unsupported,
                  "the model has inputs other than of f32 or i64; only those are run");
    return plan;
  }

  Result<std::unique_ptr<Session>> start(const Plan& plan, const Settings& settings) {
    const auto precision = TRY(choose(settings.precision, plan.in_eight_bits));
    if (precision != Precision::F16) return session_of(plan, precision, settings);
    const bool insisted = settings.precision == Precision::F16;
    auto full = session_of(plan, Precision::F32, settings);
    auto halved = graph::in_half(plan.onnx);
    if (!halved && insisted) return std::unexpected(std::move(halved).error());
    if (!halved) return full;
    auto in_half = plan;
    in_half.onnx = *std::move(halved);
    return half_if_alike(std::move(full), session_of(in_half, Precision::F16, settings), plan.inputs,
                         insisted);
  }

  std::unique_ptr<Session> session_of(const Plan& plan, Precision precision, const Settings& settings) {
    SessionSource source{.inputs = plan.inputs,
                         .precision = precision,
                         .key = plan.key,
                         .cache = settings.cache,
                         .files = plan.files};
    // Weights that nobody has hashed cannot be told from others.
    if ((plan.key.weights.empty() && !plan.files.empty()) || !runtime_.keeps_blobs()) source.cache.clear();
    source.key.precision = std::string(name_of(precision));
    source.key.engine = runtime_.version();
    auto network = runtime_.network({.onnx = plan.onnx,
                                     .base = "/",
                                     .precision = computed_in(precision),
                                     .threads = threads_of(settings),
                                     .requests = std::clamp(settings.requests, 1, kMaxRequests)});
    return make_session(std::move(network), std::move(source));
  }

  Result<Precision> choose(Precision wanted, bool in_eight_bits) const {
    const auto refuse = [&](std::string_view precision) {
      return fail(ErrorKind::Unsupported, fmt::format("{} is not to be had with {} on {}; use auto or f32",
                                                      precision, runtime_.name(), chosen_.hardware));
    };
    if (wanted == Precision::I8 && !in_eight_bits)
      return fail(ErrorKind::Unsupported, "this model is not in eight bits; use auto, f32 or bf16");
    if (wanted == Precision::I8 && chosen_.device == Device::Cuda) return refuse("int8");
    if (wanted == Precision::BF16 && !has_bf16()) return refuse("bf16");
    if (wanted == Precision::F16 && !runtime_.has_f16()) return refuse("f16");
    if (wanted != Precision::Auto) return wanted;
    if (chosen_.device == Device::Cuda) return Precision::F16;
    return bf16_is_faster() ? Precision::BF16 : Precision::F32;
  }
  // What a network in eight bits leaves to other numbers is computed in the fastest there are.
  Precision computed_in(Precision precision) const {
    if (precision == Precision::F16) return Precision::F32;  // the graph itself says what is in half
    if (precision != Precision::I8) return precision;
    return bf16_is_faster() ? Precision::BF16 : Precision::F32;
  }

  // Of the process's one CUDA device.
  static std::atomic<bool>& device_lost() {
    static std::atomic<bool> lost = false;
    return lost;
  }
  bool lost() const { return chosen_.device == Device::Cuda && device_lost(); }

  static int threads_of(const Settings& settings) {
    return settings.threads > 0 ? std::min(settings.threads, kMaxThreads) : available_threads();
  }

  const Chosen chosen_;
  Runtime& runtime_;
  const std::string cpu_ = cpu_identity();
};

// Each once, under the lock of open_engine().
Result<Runtime*> open_backend(Backend backend, Device device) {
  static auto& runtimes = *new std::map<Choice, Runtime*>;
  auto& runtime = runtimes[{device, backend}];
  if (!runtime)
    runtime = TRY(open_runtime(plugin_folders(),
                               backend == Backend::OpenVino ? kOpenVinoFile : kOnnxRuntimeFile, device));
  return runtime;
}

void log_choice(const Choice& choice, const Engine& engine) {
  // Asked for in vain, somebody should know; that a CPU is taken where there is nothing else is no news.
  const bool in_vain = choice.device == Device::Cuda && engine.device() != Device::Cuda;
  log(in_vain ? LogLevel::Warning : LogLevel::Info, "engine_chosen",
      {{"engine", engine.description()},
       {"device", std::string(name_of(engine.device()))},
       {"reason", engine.reason()}});
}

}  // namespace

Result<Precision> parse_precision(std::string_view text) { return parse(kPrecisions, text, "precision"); }
Result<Device> parse_device(std::string_view text) { return parse(kDevices, text, "device"); }
Result<Backend> parse_backend(std::string_view text) { return parse(kBackends, text, "engine"); }

std::string_view name_of(Precision precision) {
  return std::ranges::find(kPrecisions, precision, &Name<Precision>::value)->text;
}
std::string_view name_of(Device device) {
  return std::ranges::find(kDevices, device, &Name<Device>::value)->text;
}

void prepare_environment() {
  // oneDNN keeps the code of a thousand compiled layers beside the models that use it. Ours are compiled once
  // for each shape and then kept, or kept as blobs, so that the store is never asked: after 39 shapes of page
  // it holds a sixth of the server's memory.
  ::setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "0", /*overwrite*/ 0);
}

Result<Engine*> open_engine(const Choice& choice) {
  static std::mutex mutex;
  // They live as long as the process, like the libraries under them.
  static auto& engines = *new std::map<Choice, Engine*>;
  std::lock_guard lock(mutex);
  auto& engine = engines[choice];
  if (!engine) {
    engine = new PluginEngine(TRY(choose(choice, {[] { return find_cuda_device(); }, open_backend})));
    log_choice(choice, *engine);
  }
  return engine;
}

}  // namespace alcove::engine
