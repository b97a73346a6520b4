#include "engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>

#include "base/sha256.h"
#include "base/threads.h"
#include "base/version.h"
#include "engine/loader.h"
#include "engine/session.h"
#include "graph/quantize.h"

namespace alcove::engine {
namespace {

constexpr int kMaxThreads = 256;
constexpr int kMaxRequests = 64;

struct PrecisionName {
  std::string_view text;
  Precision precision;
};
constexpr std::array kPrecisions{PrecisionName{"auto", Precision::Auto}, PrecisionName{"f32", Precision::F32},
                                 PrecisionName{"bf16", Precision::BF16},
                                 PrecisionName{"int8", Precision::I8}};

class PluginEngine : public Engine {
 public:
  explicit PluginEngine(Runtime& runtime) : runtime_(runtime) {}

  Result<std::unique_ptr<Session>> load(const graph::Model& model, const CacheKey& key,
                                        const Settings& settings) override {
    const auto precision = TRY(choose(settings.precision, model));
    const auto inputs = model.inputs();
    const auto runs = [](const graph::Port& port) {
      return port.type == graph::ElementType::F32 || port.type == graph::ElementType::I64;
    };
    if (inputs.empty() || !std::ranges::all_of(inputs, runs))
      return fail(ErrorKind::Unsupported,
                  "the model has inputs other than of f32 or i64; only those are run");

    SessionSource source{.inputs = inputs, .precision = precision, .cache = settings.cache};
    for (const auto& file : model.external_files()) source.files.push_back(file.path);
    // Weights that nobody has hashed cannot be told from others.
    if (key.weights_sha256.empty() && !source.files.empty()) source.cache.clear();
    source.key = {.weights = key.weights_sha256,
                  .graph = sha256_hex(as_bytes(model.write_referencing())),
                  .precision = std::string(name_of(precision)),
                  .cpu = cpu_,
                  .engine = runtime_.version(),
                  .program = std::string(kVersion)};
    // Seen from the root, every weight file lies inside the folder that the runtime keeps to, links and all.
    auto network = runtime_.network({.onnx = model.write_referencing("/"),
                                     .base = "/",
                                     .precision = computed_in(precision),
                                     .threads = threads_of(settings),
                                     .requests = std::clamp(settings.requests, 1, kMaxRequests)});
    return make_session(std::move(network), std::move(source));
  }

  std::string description() const override {
    const int threads = available_threads();
    return fmt::format("{}, {}, {} thread{}", runtime_.name(), runtime_.cpu(), threads,
                       threads == 1 ? "" : "s");
  }
  bool has_bf16() const override { return runtime_.has_bf16(); }

 private:
  Result<Precision> choose(Precision wanted, const graph::Model& model) const {
    if (wanted == Precision::I8 && !model.metadata().contains(graph::kQuantizedFrom))
      return fail(ErrorKind::Unsupported, "this model is not in eight bits; use auto, f32 or bf16");
    if (wanted == Precision::BF16 && !has_bf16())
      return fail(ErrorKind::Unsupported,
                  fmt::format("this CPU ({}) does not compute in bf16; use auto or f32", runtime_.cpu()));
    if (wanted != Precision::Auto) return wanted;
    return has_bf16() ? Precision::BF16 : Precision::F32;
  }
  // What a network in eight bits leaves to other numbers is computed in the fastest there are.
  Precision computed_in(Precision precision) const {
    if (precision != Precision::I8) return precision;
    return has_bf16() ? Precision::BF16 : Precision::F32;
  }

  static int threads_of(const Settings& settings) {
    return settings.threads > 0 ? std::min(settings.threads, kMaxThreads) : available_threads();
  }

  Runtime& runtime_;
  const std::string cpu_ = cpu_identity();
};

}  // namespace

Result<Precision> parse_precision(std::string_view text) {
  for (const auto& name : kPrecisions)
    if (name.text == text) return name.precision;
  return fail(ErrorKind::BadInput, fmt::format("\"{}\" is no precision; use auto, f32, bf16 or int8", text));
}

std::string_view name_of(Precision precision) {
  return std::ranges::find(kPrecisions, precision, &PrecisionName::precision)->text;
}

void prepare_environment() {
  // oneDNN keeps the code of a thousand compiled layers beside the models that use it. Ours are compiled once
  // for each shape and then kept, or kept as blobs, so that the store is never asked: after 39 shapes of page
  // it holds a sixth of the server's memory.
  ::setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "0", /*overwrite*/ 0);
}

Result<Engine*> open_engine() {
  static std::mutex mutex;
  static Engine* engine = nullptr;  // lives as long as the process, like the library under it
  std::lock_guard lock(mutex);
  if (!engine) engine = new PluginEngine(*TRY(open_runtime(plugin_folders())));
  return engine;
}

}  // namespace alcove::engine
