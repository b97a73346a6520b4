#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "models/crnn_layers.h"

namespace alcove::models {
namespace {

using weights::NamedTensors;
using Shape = std::vector<std::int64_t>;

constexpr std::int64_t kMaxChannels = 1 << 16;
constexpr std::int64_t kMaxWindow = 16;
constexpr std::size_t kMaxLstmLayers = 16;
constexpr std::size_t kSquarePools = 2;  // the first pools halve the width too; later ones keep it

std::unexpected<Error> foreign(const std::string& what) {
  return fail(
      ErrorKind::Unsupported,
      fmt::format(
          "{}; readers are networks of the CRNN family (cnn, rnn, fc), others may be exported to ONNX",
          what));
}

std::string shape_text(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

// Names are taken off a list as they are understood; what stays on it does not belong.
class Inventory {
 public:
  explicit Inventory(const NamedTensors& tensors) : tensors_(tensors) {
    for (const auto& [name, tensor] : tensors) left_.insert(name);
  }

  bool has(const std::string& name) const { return tensors_.contains(name); }

  // -1 in `shape` stands for any size.
  Result<const Shape*> take(const std::string& name, const Shape& shape) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) return foreign(fmt::format("tensor '{}' is missing", name));
    const auto& own = found->second.shape;
    const bool fits = std::ranges::equal(own, shape, [](auto has, auto wanted) {
      return wanted < 0 ? has > 0 && has <= kMaxChannels : has == wanted;
    });
    if (!fits)
      return foreign(fmt::format("tensor '{}' has shape {} where {} is needed", name, shape_text(own),
                                 shape_text(shape)));
    left_.erase(name);
    return &own;
  }

  // Counted as trained.
  Result<const Shape*> take_trained(const std::string& name, const Shape& shape) {
    const auto* own = TRY(take(name, shape));
    parameters_ += tensors_.find(name)->second.element_count();
    return own;
  }

  void drop(const std::string& name) { left_.erase(name); }
  std::int64_t parameters() const { return parameters_; }

  Result<void> expect_nothing_left() const {
    if (left_.empty()) return {};
    return foreign(fmt::format("tensor '{}' has no place in the network", *left_.begin()));
  }

 private:
  const NamedTensors& tensors_;
  std::set<std::string> left_;
  std::int64_t parameters_ = 0;
};

// The places of the Sequential that hold a convolution: those whose `weight` has four axes.
std::vector<int> convolution_places(const NamedTensors& tensors) {
  constexpr std::string_view kFront = "cnn.", kBack = ".weight";
  std::vector<int> places;
  for (const auto& [name, tensor] : tensors) {
    if (!name.starts_with(kFront) || !name.ends_with(kBack) || tensor.shape.size() != 4) continue;
    if (name.size() <= kFront.size() + kBack.size()) continue;
    const auto* first = name.data() + kFront.size();
    const auto* last = name.data() + name.size() - kBack.size();
    int place = 0;
    const auto [stop, error] = std::from_chars(first, last, place);
    if (error == std::errc() && stop == last && place >= 0 && place < 1000) places.push_back(place);
  }
  std::ranges::sort(places);
  return places;
}

std::int64_t same_size_pad(std::int64_t kernel) { return kernel % 2 == 1 ? kernel / 2 : 0; }

Result<Convolution> take_convolution(Inventory& inventory, int place, std::int64_t channels) {
  const auto name = fmt::format("cnn.{}", place);
  const auto& kernel = *TRY(inventory.take_trained(name + ".weight", {-1, channels, -1, -1}));
  Convolution convolution{.index = place,
                          .in = channels,
                          .out = kernel[0],
                          .kernel_height = kernel[2],
                          .kernel_width = kernel[3]};
  if (kernel[2] > kMaxWindow || kernel[3] > kMaxWindow || kernel[3] % 2 == 0)
    return foreign(fmt::format("tensor '{}.weight' has a window of {} × {}", name, kernel[2], kernel[3]));
  convolution.pad_height = same_size_pad(kernel[2]);
  convolution.pad_width = same_size_pad(kernel[3]);
  const Shape per_channel{convolution.out};
  if (inventory.has(name + ".bias")) TRY(inventory.take_trained(name + ".bias", per_channel));
  const auto norm = fmt::format("cnn.{}", place + 1);
  convolution.norm = inventory.has(norm + ".running_mean");
  if (!convolution.norm) return convolution;
  for (const auto* part : {".weight", ".bias"}) TRY(inventory.take_trained(norm + part, per_channel));
  for (const auto* part : {".running_mean", ".running_var"}) TRY(inventory.take(norm + part, per_channel));
  inventory.drop(norm + ".num_batches_tracked");
  return convolution;
}

// A pool where the Sequential has room for one between this convolution's ReLU and the next convolution.
void infer_pools(std::vector<Convolution>& convolutions) {
  std::size_t pools = 0;
  for (std::size_t i = 0; i + 1 < convolutions.size(); ++i) {
    auto& own = convolutions[i];
    const int relu = own.index + (own.norm ? 2 : 1);
    if (convolutions[i + 1].index <= relu + 1) continue;
    own.pool_height = 2;
    own.pool_width = pools++ < kSquarePools ? 2 : 1;
  }
}

Result<void> check_size(const std::vector<Convolution>& convolutions) {
  std::int64_t height = kReaderHeight, width_divisor = 1;
  for (const auto& each : convolutions) {
    height = (height + 2 * each.pad_height - each.kernel_height + 1) / each.pool_height;
    width_divisor *= each.pool_width;
  }
  if (height == 1 && width_divisor == 4) return {};
  return foreign(fmt::format("the convolutions make a line of 32 × W into {} × W/{} instead of 1 × W/4",
                             height, width_divisor));
}

Result<std::vector<LstmLayer>> take_lstm(Inventory& inventory, std::int64_t features, bool two_way) {
  std::vector<LstmLayer> layers;
  while (layers.empty() || inventory.has(fmt::format("rnn.weight_ih_l{}", layers.size()))) {
    if (layers.size() == kMaxLstmLayers)
      return foreign(fmt::format("there are more than {} LSTM layers", kMaxLstmLayers));
    const auto& recurrent = *TRY(inventory.take(fmt::format("rnn.weight_hh_l{}", layers.size()), {-1, -1}));
    const LstmLayer layer{features, recurrent[1]};
    const auto gates = 4 * layer.hidden;
    for (const auto* way : two_way ? std::vector{"", "_reverse"} : std::vector{""}) {
      const auto tail = fmt::format("_l{}{}", layers.size(), way);
      TRY(inventory.take_trained("rnn.weight_ih" + tail, {gates, features}));
      TRY(inventory.take_trained("rnn.weight_hh" + tail, {gates, layer.hidden}));
      if (inventory.has("rnn.bias_ih" + tail))
        for (const auto* bias : {"rnn.bias_ih", "rnn.bias_hh"})
          TRY(inventory.take_trained(bias + tail, {gates}));
    }
    layers.push_back(layer);
    features = layer.hidden * (two_way ? 2 : 1);
  }
  return layers;
}

}  // namespace

Result<ReaderShape> read_shape(const NamedTensors& tensors) {
  Inventory inventory(tensors);
  ReaderShape shape;
  std::int64_t channels = 1;  // grey
  for (const auto place : convolution_places(tensors)) {
    shape.convolutions.push_back(TRY(take_convolution(inventory, place, channels)));
    channels = shape.convolutions.back().out;
  }
  if (shape.convolutions.empty()) return foreign("there is no tensor 'cnn.0.weight'");
  infer_pools(shape.convolutions);
  TRY(check_size(shape.convolutions));

  shape.two_way = inventory.has("rnn.weight_ih_l0_reverse");
  shape.lstm = TRY(take_lstm(inventory, channels, shape.two_way));
  const auto features = shape.lstm.back().hidden * (shape.two_way ? 2 : 1);
  shape.classes = TRY(inventory.take_trained("fc.weight", {-1, features}))->front();
  if (inventory.has("fc.bias")) TRY(inventory.take_trained("fc.bias", {shape.classes}));
  TRY(inventory.expect_nothing_left());
  shape.parameters = inventory.parameters();
  return shape;
}

}  // namespace alcove::models
