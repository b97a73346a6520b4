#include "models/ultralytics.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/labels.h"

namespace alcove::models {

using weights::Value;

namespace {

constexpr std::int64_t kUsualSide = 640;
constexpr std::int64_t kLeastSide = 32;
constexpr std::int64_t kMostSide = 8192;

const Value* network_value(const weights::Checkpoint& checkpoint) {
  const auto* root = checkpoint.root.get();
  for (const auto* key : {"ema", "model"})
    if (const auto* found = weights::get(root, key); found && Module::from(found)) return found;
  return root;
}

// `imgsz` is a number, or height and width.
std::int64_t side_in(const Value* arguments) {
  // Since 8.3 the arguments may be a namespace instead of a dict.
  const auto* value = weights::get(arguments, "imgsz");
  if (value == nullptr) value = weights::attribute(arguments, "imgsz");
  if (const auto* side = weights::as<std::int64_t>(value)) return *side;
  const auto* list = weights::as<weights::List>(value);
  std::int64_t longest = 0;
  if (list != nullptr)
    for (const auto* item : list->items)
      if (const auto* side = weights::as<std::int64_t>(item)) longest = std::max(longest, *side);
  return longest;
}

}  // namespace

bool holds_network(const weights::Checkpoint& checkpoint) {
  return Module::from(network_value(checkpoint)).has_value();
}

Result<Module> find_network(const weights::Checkpoint& checkpoint) {
  auto network = Module::from(network_value(checkpoint));
  if (!network)
    return fail(ErrorKind::Unsupported,
                "the file holds tensors without the network they belong to; save it with Ultralytics, or "
                "export it to ONNX");
  return *std::move(network);
}

Result<std::vector<std::string>> labels_of(const Module& network, std::int64_t classes) {
  std::vector<std::string> labels;
  for (std::int64_t i = 0; i < classes; ++i) labels.push_back(std::to_string(i));
  const auto* names = network.attribute("names");
  if (const auto* list = weights::as<weights::List>(names)) {
    for (std::size_t i = 0; i < std::min(labels.size(), list->items.size()); ++i)
      if (const auto* label = weights::as<std::string>(list->items[i])) labels[i] = *label;
    return labels;
  }
  const auto* dict = weights::as<weights::Dict>(names);
  if (dict == nullptr) return labels;
  for (const auto& [key, value] : dict->entries) {
    const auto* index = weights::as<std::int64_t>(key);
    const auto* label = weights::as<std::string>(value);
    if (index == nullptr || label == nullptr || *index < 0 || *index >= classes)
      return fail(
          ErrorKind::Unreadable,
          fmt::format("the class names do not fit the head's {} classes; the file is damaged", classes));
    labels[static_cast<std::size_t>(*index)] = *label;
  }
  return labels;
}

int image_size_of(const weights::Checkpoint& checkpoint, const Module& network, int stride) {
  auto side = side_in(weights::get(checkpoint.root.get(), "train_args"));
  if (side == 0) side = side_in(network.attribute("args"));
  if (side < kLeastSide || side > kMostSide) side = kUsualSide;
  return static_cast<int>((side + stride - 1) / stride * stride);
}

}  // namespace alcove::models
