#pragma once
// Compile a graph, run batches. OpenVINO, the engine of CPUs, lives in libalcove_engine.so; ONNX Runtime,
// that of NVIDIA GPUs and a second opinion on CPUs, in libalcove_ort.so. Each is opened on first use, so that
// a program that never reads a sheet needs no engine on its machine.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/graph.h"

namespace alcove::engine {

enum class Precision {
  Auto,
  F32,
  BF16,
  F16,  // ONNX Runtime's alone, and only for a model whose numbers stay what they are in f32 (half_gate.h)
  I8    // for models in eight bits (graph/quantize.h), and refused for others
};
Result<Precision> parse_precision(
    std::string_view text);  // "auto", "f32", "bf16", "f16", "int8"; BadInput otherwise
std::string_view name_of(Precision precision);

enum class Device { Auto, Cpu, Cuda };  // Auto: CUDA where a device and the libraries are really usable
enum class Backend { Auto, OpenVino, OnnxRuntime };    // Auto: OpenVINO on the CPU, ONNX Runtime on CUDA
Result<Device> parse_device(std::string_view text);    // "auto", "cpu", "cuda"; BadInput otherwise
Result<Backend> parse_backend(std::string_view text);  // "auto", "openvino", "onnxruntime"
std::string_view name_of(Device device);

struct Choice {  // of an engine
  Device device = Device::Auto;
  Backend backend = Backend::Auto;
  auto operator<=>(const Choice&) const = default;
};

struct Settings {
  Choice choice;
  Precision precision = Precision::Auto;  // Auto: bf16 where the CPU is faster in it, f16 on CUDA, else f32
  int threads = 0;                        // 0: available_threads()
  int requests = 1;                       // runs in flight at once; each has its own memory
  std::filesystem::path cache;            // folder of compiled blobs; empty: none is kept
};

using Shape = std::vector<std::int64_t>;

struct Array {  // row-major f32
  Shape shape;
  std::vector<float> values;
};

struct Input {  // row-major, of the input's own type; borrowed for the length of a run
  std::span<const std::int64_t> shape;
  std::variant<std::span<const float>, std::span<const std::int64_t>> values;
};

struct CacheKey {              // with graph, program, engine and CPU it names a blob
  std::string weights_sha256;  // empty: nothing is cached of a model that refers to weight files
};

// A compiled model. Input shapes may differ from call to call; each new shape is compiled (or imported) once
// and the last few are kept. Where the model leaves its first dimension free it is the batch: a shape of one
// is compiled by itself, the first larger batch for every count, ones included (warm up with two where
// batches are to come). A model of integers reads texts, of any number and length: it is compiled once, with
// every free dimension left free. A request keeps the memory of its largest batch. run() is safe from any
// thread: it takes a request from a fixed ring and waits when all are busy.
class Session {
 public:
  virtual ~Session() = default;
  // Every input and every output, in the model's order. BadInput when a shape or type does not fit the model.
  virtual Result<std::vector<Array>> run(std::span<const Input> inputs) = 0;
  // The same of a model with one input.
  Result<std::vector<Array>> run(std::span<const std::int64_t> shape, std::span<const float> values) {
    const Input input{shape, values};
    return run(std::span(&input, 1));
  }
  // Compiles for a shape, the same for every input, and runs it once on zeros.
  virtual Result<void> warm_up(std::span<const std::int64_t> shape) = 0;
  virtual Precision precision() const = 0;     // the one in force, never Auto
  virtual bool loaded_from_cache() const = 0;  // whether the last new shape came from a blob
};

class Engine {
 public:
  virtual ~Engine() = default;
  // Unsupported when the precision is not to be had here, or the model has inputs other than of f32 or i64,
  // or outputs other than of f32.
  // The model may go afterwards; its weight files must stay, unchanged, as long as the session. Safe from any
  // thread.
  virtual Result<std::unique_ptr<Session>> load(const graph::Model& model, const CacheKey& key,
                                                const Settings& settings) = 0;
  virtual std::string description() const = 0;  // "OpenVINO 2026.1, AMD EPYC, 2 threads"
  virtual bool has_bf16() const = 0;
  virtual bool bf16_is_faster() const = 0;  // than f32: what Auto goes by
  // Where the next run is computed: a GPU that was lost under way leaves the CPU.
  virtual Device device() const = 0;
  virtual std::string reason() const = 0;        // why that one, in a sentence: "no NVIDIA device: …"
  virtual std::size_t batch_tokens() const = 0;  // of texts run together, what keeps the device busy
};

// Settings that the engine's libraries take from the environment alone. To be called before any thread
// starts.
void prepare_environment();

// The process's engine of that choice, opened on first call; safe from any thread. Where CUDA is asked for
// and is not to be had, the log says why and the CPU's engine is given. Unavailable, naming the file looked
// for, when the engine's library is neither beside the program nor in the folder that the environment's
// ALCOVE_ENGINE names. BadInput for OpenVINO on CUDA.
Result<Engine*> open_engine(const Choice& choice = {});

}  // namespace alcove::engine
