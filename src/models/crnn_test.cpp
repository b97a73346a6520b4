#include "models/crnn.h"

#include <gtest/gtest.h>

#include <deque>

namespace alcove::models {
namespace {

using Shape = std::vector<std::int64_t>;

// The shapes of a narrow reader, name by name; a test takes away or changes one.
class StateDict {
 public:
  explicit StateDict(const std::string& prefix = "", std::int64_t classes = 11) : prefix_(prefix) {
    const std::pair<int, std::int64_t> convolutions[] = {{0, 2}, {4, 3}, {9, 4}, {12, 5}, {16, 6}, {19, 7}};
    std::int64_t channels = 1;
    for (const auto& [place, out] : convolutions) {
      convolution(place, {out, channels, 3, 3});
      channels = out;
    }
    convolution(24, {8, channels, 2, 1});
    lstm(0, 8, 5);
    lstm(1, 10, 5);
    set("fc.weight", {classes, 10});
    set("fc.bias", {classes});
  }

  void set(const std::string& name, const Shape& shape) {
    std::int64_t count = 1;
    for (const auto size : shape) count *= size;
    numbers_.emplace_back(static_cast<std::size_t>(count), 0.5F);
    const auto& floats = numbers_.back();
    const Bytes bytes{reinterpret_cast<const std::uint8_t*>(floats.data()), floats.size() * sizeof(float)};
    checkpoint.tensors[prefix_ + name] =
        weights::view_tensor(weights::DType::F32, shape, weights::contiguous_strides(shape), bytes, 0)
            .value();
  }
  void take_away(const std::string& name) { checkpoint.tensors.erase(prefix_ + name); }

  void convolution(int place, const Shape& kernel) {
    const auto own = "cnn." + std::to_string(place), norm = "cnn." + std::to_string(place + 1);
    set(own + ".weight", kernel);
    set(own + ".bias", {kernel[0]});
    for (const auto* part : {".weight", ".bias", ".running_mean", ".running_var"})
      set(norm + part, {kernel[0]});
    set(norm + ".num_batches_tracked", {});
  }
  void without_convolution(int place) {
    const auto own = "cnn." + std::to_string(place), norm = "cnn." + std::to_string(place + 1);
    for (const auto* part : {".weight", ".bias"}) take_away(own + part);
    for (const auto* part : {".weight", ".bias", ".running_mean", ".running_var", ".num_batches_tracked"})
      take_away(norm + part);
  }
  void lstm(int layer, std::int64_t in, std::int64_t hidden) {
    for (const auto* way : {"", "_reverse"}) {
      const auto tail = "_l" + std::to_string(layer) + way;
      set("rnn.weight_ih" + tail, {4 * hidden, in});
      set("rnn.weight_hh" + tail, {4 * hidden, hidden});
      set("rnn.bias_ih" + tail, {4 * hidden});
      set("rnn.bias_hh" + tail, {4 * hidden});
    }
  }

  weights::Checkpoint checkpoint;

 private:
  std::string prefix_;
  std::deque<std::vector<float>> numbers_;
};

std::string refusal_of(const StateDict& state) {
  const auto built = build_reader(state.checkpoint);
  if (built) return "it was built";
  EXPECT_EQ(built.error().kind, ErrorKind::Unsupported);
  return built.error().message;
}

void expect_sound(const StateDict& state) {
  const auto reader = build_reader(state.checkpoint);
  ASSERT_TRUE(reader) << reader.error().message;
  const auto checked = reader->graph.check();
  EXPECT_TRUE(checked) << checked.error().message;
}

TEST(BuildReader, ReadsEverySizeFromTheShapes) {
  expect_sound(StateDict());
  const auto reader = build_reader(StateDict().checkpoint);
  EXPECT_EQ(reader->classes, 11);
  EXPECT_EQ(reader->alphabet, "0123456789");
  EXPECT_NE(reader->description.find("7 convolutions, 2 two-way LSTM layers, 11 classes"), std::string::npos)
      << reader->description;
}

TEST(BuildReader, TakesOffThePrefixOfParallelTraining) { expect_sound(StateDict("module.")); }

TEST(BuildReader, KnowsTheAlphabetByTheClassCount) {
  EXPECT_EQ(build_reader(StateDict("", 37).checkpoint)->alphabet, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  EXPECT_EQ(build_reader(StateDict("", 14).checkpoint)->alphabet, "0123456789ABC");
  EXPECT_EQ(build_reader(StateDict("", 63).checkpoint)->alphabet.back(), 'z');
  EXPECT_NE(refusal_of(StateDict("", 64)).find("64 classes"), std::string::npos);
  EXPECT_NE(refusal_of(StateDict("", 1)).find("1 classes"), std::string::npos);
}

TEST(BuildReader, DepthMayDiffer) {
  StateDict fewer;
  fewer.without_convolution(9);
  fewer.convolution(12, {5, 3, 3, 3});
  expect_sound(fewer);

  StateDict deeper;
  deeper.lstm(2, 10, 4);
  deeper.set("fc.weight", {11, 8});
  expect_sound(deeper);

  StateDict without_biases;
  for (const auto* name : {"cnn.0.bias", "cnn.24.bias", "fc.bias"}) without_biases.take_away(name);
  expect_sound(without_biases);
}

TEST(BuildReader, OneWayLstm) {
  StateDict state;
  for (const auto* layer : {"_l0_reverse", "_l1_reverse"})
    for (const auto* part : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"})
      state.take_away(std::string("rnn.") + part + layer);
  state.set("rnn.weight_ih_l1", {20, 5});
  state.set("fc.weight", {11, 5});
  expect_sound(state);
}

TEST(BuildReader, NamesTheFirstTensorThatIsWrong) {
  StateDict missing;
  missing.take_away("rnn.weight_hh_l1");
  EXPECT_NE(refusal_of(missing).find("'rnn.weight_hh_l1' is missing"), std::string::npos);

  StateDict one_way_back;
  one_way_back.take_away("rnn.weight_ih_l1_reverse");
  EXPECT_NE(refusal_of(one_way_back).find("'rnn.weight_ih_l1_reverse' is missing"), std::string::npos);

  StateDict misshapen;
  misshapen.set("cnn.10.running_var", {3});
  EXPECT_NE(refusal_of(misshapen).find("'cnn.10.running_var' has shape [3] where [4] is needed"),
            std::string::npos);

  StateDict coloured;
  coloured.set("cnn.0.weight", {2, 3, 3, 3});
  EXPECT_NE(refusal_of(coloured).find("'cnn.0.weight' has shape [2, 3, 3, 3] where [-1, 1, -1, -1]"),
            std::string::npos);

  StateDict strange;
  strange.set("attention.weight", {2, 2});
  EXPECT_NE(refusal_of(strange).find("'attention.weight' has no place"), std::string::npos);

  StateDict projected;
  projected.set("rnn.weight_hr_l0", {2, 5});
  EXPECT_NE(refusal_of(projected).find("'rnn.weight_hr_l0' has no place"), std::string::npos);
}

TEST(BuildReader, RefusesALineThatDoesNotBecomeOneRow) {
  StateDict state;
  state.set("cnn.24.weight", {8, 7, 3, 3});
  EXPECT_NE(refusal_of(state).find("2 × W/4 instead of 1 × W/4"), std::string::npos) << refusal_of(state);
  StateDict wide;
  wide.set("cnn.24.weight", {8, 7, 2, 2});
  EXPECT_NE(refusal_of(wide).find("a window of 2 × 2"), std::string::npos);
}

TEST(BuildReader, RefusesWhatIsNoReader) {
  EXPECT_NE(refusal_of([] {
              StateDict state;
              state.checkpoint.tensors.clear();
              state.set("model.0.conv.weight", {2, 3, 3, 3});
              return state;
            }())
                .find("'cnn.0.weight'"),
            std::string::npos);
}

TEST(BuildReader, AnyTensorTakenAwayIsNoticed) {
  const StateDict whole;
  for (const auto& [name, tensor] : whole.checkpoint.tensors) {
    if (name.ends_with("num_batches_tracked")) continue;
    StateDict state;
    state.take_away(name);
    const auto built = build_reader(state.checkpoint);
    // Biases may be absent; nothing else may.
    const bool optional =
        name.ends_with(".bias") &&
        (name.starts_with("fc") ||
         state.checkpoint.tensors[name.substr(0, name.size() - 4) + "weight"].shape.size() == 4);
    EXPECT_EQ(built.has_value(), optional) << name;
  }
}

}  // namespace
}  // namespace alcove::models
