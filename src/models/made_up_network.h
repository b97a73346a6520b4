#pragma once
// For tests: a pickled detector of two layers, written down by hand, so that each part of it can be made
// wrong.

#include <deque>

#include "weights/checkpoint.h"

namespace alcove::models {

// Values as a pickle would hold them; `pool` owns them.
class Tree {
 public:
  using Entries = std::vector<std::pair<std::string, weights::ValuePtr>>;

  template <class T>
  weights::ValuePtr value(T data) {
    pool_.push_back({std::move(data)});
    return &pool_.back();
  }
  weights::ValuePtr number(std::int64_t data) { return value(data); }
  weights::ValuePtr text(const std::string& data) { return value(data); }

  weights::ValuePtr dict(const Entries& entries) {
    weights::Dict made;
    for (const auto& [key, entry] : entries) made.entries.emplace_back(text(key), entry);
    return value(std::move(made));
  }

  weights::ValuePtr pair(std::int64_t a, std::int64_t b) {
    return value(weights::Tuple{{number(a), number(b)}});
  }

  // Zeros, or `fill` everywhere.
  weights::ValuePtr tensor(const std::vector<std::int64_t>& shape, float fill = 0) {
    std::int64_t count = 1;
    for (const auto size : shape) count *= size;
    numbers_.emplace_back(static_cast<std::size_t>(count), fill);
    const auto& floats = numbers_.back();
    const Bytes bytes{reinterpret_cast<const std::uint8_t*>(floats.data()), floats.size() * sizeof(float)};
    return value(
        weights::view_tensor(weights::DType::F32, shape, weights::contiguous_strides(shape), bytes, 0)
            .value());
  }

  // `class_name` with attributes, tensors (as parameters) and parts.
  weights::ValuePtr module(const std::string& class_name, Entries attributes, const Entries& tensors,
                           const Entries& parts) {
    attributes.emplace_back("_parameters", dict(tensors));
    attributes.emplace_back("_buffers", dict({}));
    attributes.emplace_back("_modules", dict(parts));
    weights::Object object{.name = class_name};
    object.state = dict(attributes);
    return value(std::move(object));
  }

  weights::Checkpoint checkpoint(weights::ValuePtr root) const {
    weights::Checkpoint made;
    made.root = std::shared_ptr<const weights::Value>(std::shared_ptr<void>(), root);
    return made;
  }

  std::size_t size() const { return pool_.size(); }
  void spoil(std::size_t at) { pool_[at].data = weights::None{}; }

 private:
  std::deque<weights::Value> pool_;
  std::deque<std::vector<float>> numbers_;
};

// Sizes and names of the made-up detector; a test changes one and sees what is said.
struct MadeUp {
  std::string conv_class = "ultralytics.nn.modules.conv.Conv";
  std::string head_class = "ultralytics.nn.modules.head.Detect";
  std::string conv2d_class = "torch.nn.modules.conv.Conv2d";
  std::int64_t head_from = -1;
  std::int64_t picture_channels = 3;  // that the first kernel expects
  std::int64_t bins = 16;
  std::int64_t box_channels = 64;
  std::int64_t classes = 2;
  std::int64_t groups = 1;
  float stride = 8;
  Tree::Entries head_extra;  // further parts of the head
  Tree::Entries top;         // further entries beside `model`
};

inline weights::ValuePtr conv2d(Tree& tree, const MadeUp& with, std::int64_t in, std::int64_t out,
                                std::int64_t side, std::int64_t stride) {
  return tree.module(with.conv2d_class,
                     {{"stride", tree.pair(stride, stride)},
                      {"padding", tree.pair(side / 2, side / 2)},
                      {"dilation", tree.pair(1, 1)},
                      {"groups", tree.number(with.groups)},
                      {"padding_mode", tree.text("zeros")}},
                     {{"weight", tree.tensor({out, in, side, side})}, {"bias", tree.tensor({out})}}, {});
}

// Conv 3×3 of stride 8, then Detect with one map. Fused: no batch norms.
inline weights::ValuePtr made_up_network(Tree& tree, const MadeUp& with) {
  const auto list = [&](const Tree::Entries& parts) {
    return tree.module("torch.nn.modules.container.ModuleList", {}, {}, parts);
  };
  const auto conv = tree.module(with.conv_class, {{"f", tree.number(-1)}, {"i", tree.number(0)}}, {},
                                {{"conv", conv2d(tree, with, with.picture_channels, 4, 3, 8)},
                                 {"act", tree.module("torch.nn.modules.activation.SiLU", {}, {}, {})}});
  auto parts = with.head_extra;
  parts.emplace_back("cv2", list({{"0", conv2d(tree, with, 4, with.box_channels, 1, 1)}}));
  parts.emplace_back("cv3", list({{"0", conv2d(tree, with, 4, with.classes, 1, 1)}}));
  parts.emplace_back("dfl", tree.module("ultralytics.nn.modules.block.DFL", {}, {},
                                        {{"conv", conv2d(tree, with, 16, 1, 1, 1)}}));
  const auto head = tree.module(with.head_class,
                                {{"f", tree.value(weights::List{{tree.number(with.head_from)}})},
                                 {"nc", tree.number(2)},
                                 {"nl", tree.number(1)},
                                 {"reg_max", tree.number(with.bins)},
                                 {"stride", tree.tensor({1}, with.stride)}},
                                {}, parts);
  const auto layers =
      tree.module("torch.nn.modules.container.Sequential", {}, {}, {{"0", conv}, {"1", head}});
  weights::Dict names;
  names.entries = {{tree.number(0), tree.text("RegisterNumber")}, {tree.number(1), tree.text("SubjectCode")}};
  return tree.module("ultralytics.nn.tasks.DetectionModel", {{"names", tree.value(names)}}, {},
                     {{"model", layers}});
}

inline weights::Checkpoint made_up_checkpoint(Tree& tree, const MadeUp& with = {}) {
  auto entries = with.top;
  entries.emplace_back("model", made_up_network(tree, with));
  return tree.checkpoint(tree.dict(entries));
}

}  // namespace alcove::models
