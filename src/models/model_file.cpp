#include "models/model_file.h"

#include <fmt/format.h>

#include "models/onnx_file.h"
#include "models/ultralytics.h"

namespace alcove::models {
namespace {

using AnyModel = std::variant<Detector, Reader>;

Result<AnyModel> build(const weights::Checkpoint& checkpoint, const std::filesystem::path& path) {
  if (checkpoint.kind == weights::FileKind::Onnx)
    return take_onnx(TRY(graph::Model::read(checkpoint.file->bytes())), path);
  if (holds_network(checkpoint)) return TRY(build_detector(checkpoint));
  if (!checkpoint.tensors.empty()) return TRY(build_reader(checkpoint));
  return fail(ErrorKind::Unsupported,
              "the file holds neither a detector nor a reader; it should be an Ultralytics detection "
              "checkpoint, or a state dict of a CRNN");
}

const graph::Model& graph_of(const AnyModel& model) {
  return std::visit([](const auto& made) -> const graph::Model& { return made.graph; }, model);
}

}  // namespace

Result<ModelFile> load_model(const std::filesystem::path& path) {
  auto opened = weights::open_checkpoint(path);
  // A file that cannot be opened is named in the sentence already; what is wrong inside it is not.
  if (!opened && (opened.error().kind == ErrorKind::NotFound || opened.error().kind == ErrorKind::BadInput))
    return std::unexpected(std::move(opened).error());
  if (!opened) return fail_in(path.string(), std::move(opened).error());
  const auto& checkpoint = *opened;
  auto model = build(checkpoint, path);
  if (!model) return fail_in(path.string(), std::move(model).error());
  const auto& graph = graph_of(*model);
  const auto tensors = graph.tensor_count();
  const std::string precision(graph::name_of(graph.stored_as()));
  return ModelFile{path,      checkpoint.kind,  checkpoint.file->bytes().size(), checkpoint.sha256, tensors,
                   precision, *std::move(model)};
}

}  // namespace alcove::models
