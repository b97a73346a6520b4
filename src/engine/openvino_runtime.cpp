// libalcove_engine.so: OpenVINO behind plugin.h. Nothing of it is visible but one entry, and no exception
// leaves.

#include <istream>
#include <map>
#include <openvino/frontend/manager.hpp>
#include <openvino/openvino.hpp>
#include <sstream>
#include <streambuf>

#include "engine/plugin.h"
#include "engine/ring.h"

namespace alcove::engine {
namespace {

constexpr const char* kDevice = "CPU";

// OpenVINO's messages name its own source files line by line; the last line says what was wrong.
std::string reason_of(const std::exception& exception) {
  std::istringstream lines(exception.what());
  std::string last;
  for (std::string line; std::getline(lines, line);)
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  return last.empty() ? "no reason given" : last;
}

template <class Action>
auto guarded(ErrorKind kind, const std::string& what, Action&& action) -> decltype(action()) {
  try {
    return action();
  } catch (const std::exception& exception) {
    return fail(kind, what + ": " + reason_of(exception));
  } catch (...) {
    return fail(kind, what + ": the runtime failed without a reason");
  }
}

// Borrowed bytes as a stream that can seek, which the ONNX front end wants.
class BytesBuffer : public std::streambuf {
 public:
  explicit BytesBuffer(std::string_view bytes) {
    char* start = const_cast<char*>(bytes.data());  // never written through: there is no put area
    setg(start, start, start + bytes.size());
  }

 protected:
  pos_type seekoff(off_type offset, std::ios_base::seekdir way, std::ios_base::openmode) override {
    char* from = way == std::ios_base::beg ? eback() : way == std::ios_base::cur ? gptr() : egptr();
    if (offset < eback() - from || offset > egptr() - from) return pos_type(off_type(-1));
    setg(eback(), from + offset, egptr());
    return gptr() - eback();
  }
  pos_type seekpos(pos_type position, std::ios_base::openmode mode) override {
    return seekoff(off_type(position), std::ios_base::beg, mode);
  }
};

struct Openvino {  // loaded once, never unloaded: models keep pointers into the front end's library
  ov::Core core;
  ov::frontend::FrontEndManager front_ends;
  ov::frontend::FrontEnd::Ptr onnx = front_ends.load_by_framework("onnx");
};

class OpenvinoCompiled : public Compiled {
 public:
  OpenvinoCompiled(ov::CompiledModel model, int requests, std::shared_ptr<const void> blob)
      : blob_(std::move(blob)), model_(std::move(model)), outputs_(model_.outputs().size()) {
    for (int i = 0; i < requests; ++i) requests_.add(model_.create_infer_request());
  }

  Result<std::vector<Array>> run(std::span<const Input> inputs) override {
    return guarded(ErrorKind::Internal, "running the model failed", [&]() -> Result<std::vector<Array>> {
      const auto request = requests_.take();
      for (std::size_t i = 0; i < inputs.size(); ++i) request->set_input_tensor(i, tensor_of(inputs[i]));
      request->infer();
      std::vector<Array> arrays(outputs_);
      for (std::size_t i = 0; i < outputs_; ++i) {
        const ov::Tensor output = request->get_output_tensor(i);
        const auto& sizes = output.get_shape();
        arrays[i].shape.assign(sizes.begin(), sizes.end());
        arrays[i].values.assign(output.data<const float>(), output.data<const float>() + output.get_size());
      }
      return arrays;
    });
  }

  Result<std::string> write_blob() override {
    return guarded(ErrorKind::Internal, "exporting the compiled model failed", [&]() -> Result<std::string> {
      std::ostringstream out;
      model_.export_model(out);
      return std::move(out).str();
    });
  }

 private:
  // The caller's numbers are read in place; the request meets other memory at its next run.
  static ov::Tensor tensor_of(const Input& input) {
    const ov::Shape shape(input.shape.begin(), input.shape.end());
    return std::visit(
        [&](auto values) {
          using Number = typename decltype(values)::value_type;
          return ov::Tensor(ov::element::from<Number>(), shape, const_cast<Number*>(values.data()));
        },
        input.values);
  }

  std::shared_ptr<const void> blob_;  // outlives the model, which may refer to it
  ov::CompiledModel model_;
  std::size_t outputs_;
  Ring<ov::InferRequest> requests_;
};

class OpenvinoNetwork : public Network {
 public:
  OpenvinoNetwork(Openvino& openvino, NetworkSource source)
      : openvino_(openvino), source_(std::move(source)) {}

  Result<std::shared_ptr<Compiled>> compile(std::span<const Shape> shapes) override {
    using Made = Result<std::shared_ptr<Compiled>>;
    auto model = TRY(guarded(ErrorKind::Unreadable, "the model cannot be taken", [&] { return read(); }));
    TRY(guarded(ErrorKind::BadInput, "the model cannot take an input of that shape", [&]() -> Result<void> {
      std::map<ov::Output<ov::Node>, ov::PartialShape> sizes;
      for (std::size_t i = 0; i < shapes.size(); ++i) sizes[model->input(i)] = partial(shapes[i]);
      model->reshape(sizes);
      return {};
    }));
    return guarded(ErrorKind::Internal, "compiling the model failed", [&]() -> Made {
      return wrap(openvino_.core.compile_model(model, kDevice, settings()), nullptr);
    });
  }

  Result<std::shared_ptr<Compiled>> import_blob(Bytes blob, std::shared_ptr<const void> owner) override {
    using Made = Result<std::shared_ptr<Compiled>>;
    return guarded(ErrorKind::Unreadable, "the compiled model cannot be taken", [&]() -> Made {
      const ov::Tensor bytes(ov::element::u8, {blob.size()}, const_cast<std::uint8_t*>(blob.data()));
      return wrap(openvino_.core.import_model(bytes, kDevice, settings()), std::move(owner));
    });
  }

 private:
  static ov::PartialShape partial(const Shape& shape) {
    ov::PartialShape sizes;
    for (const auto size : shape)
      sizes.push_back(size == kAnySize ? ov::Dimension(1, -1) : ov::Dimension(size));
    return sizes;
  }

  // Read for each shape rather than kept: reshaping alters a model, and one at rest would hold its weights.
  Result<std::shared_ptr<ov::Model>> read() const {
    BytesBuffer buffer(source_.onnx);
    std::istream stream(&buffer);
    // The front end seeks external data in the folder of the path beside the stream, maps it, and refuses
    // what lies outside; the file named here need not exist.
    auto input = openvino_.onnx->load(std::vector<ov::Any>{static_cast<std::istream*>(&stream),
                                                           (source_.base / "graph.onnx").string(), true});
    auto model = openvino_.onnx->convert(input);
    for (const auto& output : model->outputs())
      if (output.get_element_type() != ov::element::f32)
        return fail(
            ErrorKind::Unsupported,
            "the model has an output of " + output.get_element_type().get_type_name() + "; only f32 is read");
    return model;
  }

  std::shared_ptr<Compiled> wrap(ov::CompiledModel model, std::shared_ptr<const void> owner) const {
    return std::make_shared<OpenvinoCompiled>(std::move(model), source_.requests, std::move(owner));
  }

  ov::AnyMap settings() const {
    return {
        ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
        ov::hint::inference_precision(source_.precision == Precision::BF16 ? ov::element::bf16
                                                                           : ov::element::f32),
        // All threads on one run at a time: a sheet alone is answered in half the time that a stream of one
        // thread takes, many together are answered as fast, and the memory of a second stream is saved.
        ov::num_streams(1), ov::inference_num_threads(source_.threads),
        // A container's quota is shared out by the kernel; pinned threads would queue for the same core.
        ov::hint::enable_cpu_pinning(false), ov::hint::enable_hyper_threading(true)};
  }

  Openvino& openvino_;
  const NetworkSource source_;
};

class OpenvinoRuntime : public Runtime {
 public:
  OpenvinoRuntime() {
    openvino_.core.set_property(ov::log::level(ov::log::Level::NO));
    version_ = ov::get_openvino_version().buildNumber;
    cpu_ = openvino_.core.get_property(kDevice, ov::device::full_name);
    cpu_.erase(cpu_.find_last_not_of(' ') + 1);
    for (const auto& capability : openvino_.core.get_property(kDevice, ov::device::capabilities))
      has_bf16_ |= capability == ov::device::capability::BF16;
  }

  std::string version() const override { return version_; }
  std::string name() const override { return "OpenVINO " + version_.substr(0, version_.find('-')); }
  std::string cpu() const override { return cpu_; }
  bool has_bf16() const override { return has_bf16_; }
  // AMD's cores and AMX take a product of two bf16 in half the time of f32's; on Intel's vector units alone
  // both take the same, and the conversions come on top (docs/performance.md, Precision).
  bool bf16_is_faster() const override {
    return has_bf16_ && (__builtin_cpu_is("amd") || __builtin_cpu_supports("amx-bf16"));
  }
  bool has_f16() const override { return false; }  // CPUs that have it have bf16 too, which loses no range
  bool keeps_blobs() const override { return true; }
  std::unique_ptr<Network> network(NetworkSource source) override {
    return std::make_unique<OpenvinoNetwork>(openvino_, std::move(source));
  }

 private:
  Openvino openvino_;
  std::string version_;
  std::string cpu_;
  bool has_bf16_ = false;
};

Result<Runtime*> open(Device device) {
  if (device != Device::Cpu) return fail(ErrorKind::Unsupported, "OpenVINO is the engine of CPUs here");
  return guarded(ErrorKind::Unavailable, "OpenVINO does not start",
                 []() -> Result<Runtime*> { return new OpenvinoRuntime; });
}

}  // namespace
}  // namespace alcove::engine

extern "C" __attribute__((visibility("default"))) const alcove::engine::Plugin* alcove_engine_plugin() {
  static constexpr alcove::engine::Plugin kPlugin{.open = alcove::engine::open};
  return &kPlugin;
}
