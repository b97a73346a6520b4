#pragma once
// What passes between the program and the libraries that hold a runtime: libalcove_engine.so, which links
// OpenVINO, and libalcove_ort.so, which opens ONNX Runtime. Plain values of ours: neither side needs the
// other's libraries. The program keeps shapes, blobs and messages (session.cpp); the library compiles and
// runs.

#include <filesystem>
#include <memory>
#include <string>

#include "engine/engine.h"

namespace alcove::engine {

// Raised with every change of this page or of a type it names. A library of another number is refused.
inline constexpr int kPluginVersion = 4;
inline constexpr const char* kOpenVinoFile = "libalcove_engine.so";
inline constexpr const char* kOnnxRuntimeFile = "libalcove_ort.so";
inline constexpr const char* kPluginEntry = "alcove_engine_plugin";

// Codes of errors that are the device's and not the model's: the same run may do on another.
inline constexpr const char* kDeviceFull = "device_out_of_memory";
inline constexpr const char* kDeviceLost = "device_lost";

inline constexpr std::int64_t kAnySize = -1;  // in a shape to compile for: decided at each run

// A network compiled for one shape of each input. Safe from any thread; run() waits when all requests are
// busy.
class Compiled {
 public:
  virtual ~Compiled() = default;
  // Shapes are the compiled ones, with a size for each kAnySize, values of the input's type and as many as
  // they say.
  virtual Result<std::vector<Array>> run(std::span<const Input> inputs) = 0;
  // What import_blob() takes, for a cache; Unsupported where the runtime keeps no blobs.
  virtual Result<std::string> write_blob() = 0;
};

class Network {
 public:
  virtual ~Network() = default;
  // BadInput when the network cannot have those shapes, one for each input. Reads the proto and the weights
  // it refers to.
  virtual Result<std::shared_ptr<Compiled>> compile(std::span<const Shape> shapes) = 0;
  // Bytes that write_blob() gave to this same runtime, which does not check them. `owner` keeps them in place
  // for as long as the result lives.
  virtual Result<std::shared_ptr<Compiled>> import_blob(Bytes blob, std::shared_ptr<const void> owner) = 0;
};

struct NetworkSource {
  std::string onnx;            // the proto; f32 or i64 inputs, f32 outputs
  std::filesystem::path base;  // folder its external data is seen from; weights are mapped, not copied
  Precision precision = Precision::F32;  // F32 or BF16; what is in half is in the proto
  int threads = 1;
  int requests = 1;
};

class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual std::string version() const = 0;  // "2026.4.1-22982-…", part of a blob's key
  virtual std::string name() const = 0;     // "OpenVINO 2026.4.1"
  virtual std::string cpu() const = 0;      // "AMD EPYC"
  virtual bool has_bf16() const = 0;
  virtual bool bf16_is_faster() const = 0;  // than f32, on this CPU
  virtual bool has_f16() const = 0;
  virtual bool keeps_blobs() const = 0;
  virtual std::unique_ptr<Network> network(NetworkSource source) = 0;
};

struct Plugin {
  int version = kPluginVersion;
  // One per process and device (Cpu or Cuda), never destroyed. Unsupported for a device it never runs on,
  // Unavailable, saying what is missing, for one that is not to be had here.
  Result<Runtime*> (*open)(Device device) = nullptr;
};

}  // namespace alcove::engine

extern "C" const alcove::engine::Plugin* alcove_engine_plugin();
