// Model::check() through libonnx.

#include <fmt/format.h>

#include <exception>
#include <unordered_map>

#include "graph/state.h"

#if __has_include(<onnx/checker.h>)
#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>
#else
// Debian 12 ships libonnx 1.12 without the headers of these two functions; this is what they declare there.
namespace onnx {
class ISchemaRegistry;
class OpSchemaRegistry {
 public:
  static OpSchemaRegistry* Instance();
};
struct ShapeInferenceOptions {
  bool check_type;
  int error_mode;
  bool enable_data_propagation;
};
namespace checker {
void check_model(const ModelProto& model);
}
namespace shape_inference {
void InferShapes(ModelProto& model, const ISchemaRegistry* registry, const ShapeInferenceOptions& options,
                 std::unordered_map<std::string, TensorShapeProto>* generated);
}
}  // namespace onnx
#endif

namespace alcove::graph {
namespace {

// The registry's interface is its first and only base; where the class itself is not declared, the pointer is
// the same one.
const onnx::ISchemaRegistry* registry() {
  return reinterpret_cast<const onnx::ISchemaRegistry*>(onnx::OpSchemaRegistry::Instance());
}

}  // namespace

// Shape arithmetic is followed, too.
void infer_types(onnx::ModelProto& proto, bool strict) {
  onnx::shape_inference::InferShapes(proto, registry(), onnx::ShapeInferenceOptions{strict, strict, true},
                                     nullptr);
}

Result<void> Model::check() const {
  auto proto = state_->inlined();
  try {
    onnx::checker::check_model(proto);
    infer_types(proto, true);
  } catch (const std::exception& error) {
    const auto opset = opset_of(state_->proto);
    if (opset > kOpset)
      return fail(
          ErrorKind::Unsupported,
          fmt::format("the graph is not accepted, perhaps because its opset {} is newer than the installed "
                      "libonnx; export it with opset {} to have it checked: {}",
                      opset, kOpset, error.what()));
    return fail(ErrorKind::Unreadable, fmt::format("the graph is not sound: {}", error.what()));
  }
  return {};
}

}  // namespace alcove::graph
