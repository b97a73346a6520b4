#include "models/yolo.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/initialisers.h"
#include "models/labels.h"
#include "models/ultralytics.h"
#include "models/yolo_head.h"

namespace alcove::models {
namespace {

constexpr std::size_t kMaxLayers = 500;  // of the outermost list; published networks have some 25
constexpr std::size_t kMaxSources = 16;
constexpr int kLeastStride = 32;  // what Ultralytics pads to at least

std::string_view family_of(const std::vector<Module>& layers) {
  constexpr std::pair<std::string_view, std::string_view> kMarks[] = {
      {"C3k2", "YOLO11"}, {"C2PSA", "YOLO11"}, {"C2f", "YOLOv8"}, {"C3", "YOLOv5u"}};
  for (const auto& [kind, family] : kMarks)
    if (std::ranges::any_of(layers, [&](const auto& layer) { return layer.kind() == kind; })) return family;
  return "Ultralytics";
}

// What a layer reads: `f` holds indices of earlier layers, -1 for the one before.
Result<std::vector<Feature>> inputs_of(const Module& layer, const std::vector<Feature>& made) {
  const auto count = static_cast<std::int64_t>(made.size());
  const auto sources = TRY(layer.integers("f", -count, count - 1, kMaxSources));
  std::vector<Feature> inputs;
  for (const auto source : sources)
    inputs.push_back(made[static_cast<std::size_t>(source < 0 ? source + count : source)]);
  return inputs;
}

struct Facts {
  std::vector<std::string> labels;
  int stride = 0;
  int image_size = 0;
};

// The keys Ultralytics writes and reads back when it runs an exported file.
void add_metadata(graph::Builder& builder, const Facts& facts, std::string_view family) {
  const auto side = facts.image_size;
  builder.metadata("description", fmt::format("{} detector", family));
  builder.metadata("task", "detect");
  builder.metadata("names", write_labels(facts.labels));
  builder.metadata("stride", std::to_string(facts.stride));
  builder.metadata("imgsz", fmt::format("[{}, {}]", side, side));
  builder.metadata("batch", "1");
  builder.metadata("channels", "3");
  builder.metadata("args", "{'dynamic': True, 'nms': False}");
}

Result<void> add_layers(Layers& layers, const std::vector<Module>& modules, const DetectHead& head) {
  auto& builder = layers.builder();
  const auto images =
      builder.input({"images",
                     graph::ElementType::F32,
                     {{.name = "batch"}, {.size = 3, .name = {}}, {.name = "height"}, {.name = "width"}}});
  const Feature picture{images, 3};
  std::vector<Feature> made;
  for (const auto& module : modules) {
    // The first layer's -1 is the picture, which no other layer may name.
    const auto inputs = made.empty() ? std::vector{picture} : TRY(inputs_of(module, made));
    if (&module == &modules.back()) return add_head(layers, module, head, inputs);
    made.push_back(TRY(layers.apply(module, inputs)));
  }
  return {};
}

}  // namespace

Result<Detector> build_detector(const weights::Checkpoint& checkpoint) {
  const auto network = TRY(find_network(checkpoint));
  const auto list = TRY(network.child("model"));
  const auto modules = TRY(list.children());
  if (modules.size() < 2 || modules.size() > kMaxLayers)
    return list.damaged(fmt::format("holds {} layers", modules.size()));
  const auto head = TRY(read_head(modules.back()));

  const auto stride = std::max(kLeastStride, static_cast<int>(std::ranges::max(head.strides)));
  const auto family = family_of(modules);

  graph::Builder builder("detector");
  Layers layers(builder);
  TRY(add_layers(layers, modules, head));
  builder.output({"output0",
                  graph::ElementType::F32,
                  {{.name = "batch"}, {.size = 4 + head.classes, .name = {}}, {.name = "anchors"}}});
  const Facts facts{TRY(labels_of(network, head.classes)), stride,
                    image_size_of(checkpoint, network, stride)};
  add_metadata(builder, facts, family);
  auto graph = std::move(builder).finish();
  auto description =
      fmt::format("{} detector, {} layers, {} parameters, stored as {}", family, modules.size(),
                  with_commas(layers.parameters()), graph::name_of(graph.stored_as()));
  return Detector{std::move(graph), facts.labels, facts.stride, facts.image_size, std::move(description)};
}

}  // namespace alcove::models
