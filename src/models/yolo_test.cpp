#include "models/yolo.h"

#include <gtest/gtest.h>

#include <functional>

#include "models/made_up_network.h"

namespace alcove::models {
namespace {

Error refusal_of(const MadeUp& with) {
  Tree tree;
  auto built = build_detector(made_up_checkpoint(tree, with));
  return built ? Error{ErrorKind::Internal, "it was built"} : built.error();
}

void expect_says(const Error& said, ErrorKind kind, std::string_view words) {
  EXPECT_EQ(said.kind, kind) << said.message;
  EXPECT_NE(said.message.find(words), std::string::npos) << said.message << " should say " << words;
}

TEST(BuildDetector, BuildsFromTheTreeAlone) {
  Tree tree;
  const auto detector = build_detector(made_up_checkpoint(tree));
  ASSERT_TRUE(detector) << detector.error().message;
  const auto checked = detector->graph.check();
  EXPECT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(detector->labels, (std::vector<std::string>{"RegisterNumber", "SubjectCode"}));
  EXPECT_EQ(detector->graph.metadata().at("names"), "{0: 'RegisterNumber', 1: 'SubjectCode'}");
  EXPECT_EQ(detector->graph.metadata().at("task"), "detect");
  EXPECT_EQ(detector->graph.metadata().at("stride"), "32");
}

TEST(BuildDetector, TakesTheImageSizeOfTheTraining) {
  const auto size_with = [](const std::function<weights::ValuePtr(Tree&)>& imgsz) {
    Tree tree;
    MadeUp with;
    with.top = {{"train_args", tree.dict({{"imgsz", imgsz(tree)}})}};
    return build_detector(made_up_checkpoint(tree, with))->image_size;
  };
  EXPECT_EQ(size_with([](Tree& tree) { return tree.number(320); }), 320);
  EXPECT_EQ(size_with([](Tree& tree) { return tree.number(1000); }), 1024);
  EXPECT_EQ(
      size_with([](Tree& tree) { return tree.value(weights::List{{tree.number(480), tree.number(800)}}); }),
      800);
  EXPECT_EQ(size_with([](Tree& tree) { return tree.number(-5); }), 640);
  EXPECT_EQ(size_with([](Tree& tree) { return tree.text("big"); }), 640);
}

TEST(BuildDetector, EmaWinsOverModel) {
  Tree tree;
  MadeUp spoilt;
  spoilt.box_channels = 7;
  const auto root = tree.dict({{"model", made_up_network(tree, spoilt)}, {"ema", made_up_network(tree, {})}});
  EXPECT_TRUE(build_detector(tree.checkpoint(root)));
  const auto swapped =
      tree.dict({{"model", made_up_network(tree, {})}, {"ema", made_up_network(tree, spoilt)}});
  EXPECT_FALSE(build_detector(tree.checkpoint(swapped)));
  const auto without =
      tree.dict({{"model", made_up_network(tree, {})}, {"ema", tree.value(weights::None{})}});
  EXPECT_TRUE(build_detector(tree.checkpoint(without)));
  EXPECT_TRUE(build_detector(tree.checkpoint(made_up_network(tree, {})))) << "a network saved by itself";
}

TEST(BuildDetector, RefusesOtherHeadsByName) {
  for (const auto& [kind, word] : {std::pair{"Segment", "segmentation"},
                                   {"Pose", "pose"},
                                   {"OBB", "oriented boxes"},
                                   {"Classify", "classification"},
                                   {"RTDETRDecoder", "RT-DETR"},
                                   {"v10Detect", "end-to-end"}}) {
    const auto said = refusal_of({.head_class = std::string("ultralytics.nn.modules.head.") + kind});
    expect_says(said, ErrorKind::Unsupported, kind);
    expect_says(said, ErrorKind::Unsupported, word);
  }
  expect_says(refusal_of({.head_class = "models.yolo.Detect"}), ErrorKind::Unsupported,
              "older YOLOv5 repository");
  expect_says(refusal_of({.head_class = "ultralytics.nn.modules.head.Novel"}), ErrorKind::Unsupported,
              "modules.head.Novel");
  Tree tree;
  MadeUp with;
  with.head_extra = {{"one2one_cv2", tree.module("torch.nn.modules.container.ModuleList", {}, {}, {})}};
  expect_says(build_detector(made_up_checkpoint(tree, with)).error(), ErrorKind::Unsupported, "end-to-end");
}

TEST(BuildDetector, RefusesAnUnknownLayerByName) {
  expect_says(refusal_of({.conv_class = "ultralytics.nn.modules.block.RepNCSPELAN4"}), ErrorKind::Unsupported,
              "RepNCSPELAN4");
  expect_says(refusal_of({.conv_class = "__main__.Conv"}), ErrorKind::Unsupported, "__main__.Conv");
}

TEST(BuildDetector, ReadsTheNamesOfTheFirstReleases) {
  Tree tree;
  EXPECT_TRUE(build_detector(made_up_checkpoint(
      tree, {.conv_class = "ultralytics.nn.modules.Conv", .head_class = "ultralytics.nn.modules.Detect"})));
}

TEST(BuildDetector, SaysWhereATreeIsDamaged) {
  expect_says(refusal_of({.head_from = 1}), ErrorKind::Unreadable,
              "layer model.1 (Detect) needs whole numbers from -1 to 0 for 'f'");
  expect_says(refusal_of({.head_from = -2}), ErrorKind::Unreadable, "'f'");
  expect_says(refusal_of({.picture_channels = 4}), ErrorKind::Unreadable,
              "layer model.0.conv (Conv2d) has 'weight' of shape [4, 4, 3, 3]");
  expect_says(refusal_of({.bins = 15}), ErrorKind::Unreadable, "gives 64 and 2 channels where 60 and 2");
  expect_says(refusal_of({.box_channels = 60}), ErrorKind::Unreadable, "gives 60 and 2");
  expect_says(refusal_of({.classes = 3}), ErrorKind::Unreadable, "gives 64 and 3");
  expect_says(refusal_of({.groups = 0}), ErrorKind::Unreadable, "'groups'");
  expect_says(refusal_of({.groups = 2}), ErrorKind::Unreadable, "groups");
  expect_says(refusal_of({.stride = 0}), ErrorKind::Unreadable, "a stride of 0");
  expect_says(refusal_of({.stride = 8.5F}), ErrorKind::Unreadable, "a stride of 8.5");
}

TEST(BuildDetector, RefusesNamesThatDoNotFit) {
  Tree tree;
  auto* network = std::get_if<weights::Object>(&const_cast<weights::Value*>(made_up_network(tree, {}))->data);
  auto* names = const_cast<weights::Value*>(weights::get(network->state, "names"));
  std::get<weights::Dict>(names->data).entries.emplace_back(tree.number(2), tree.text("third"));
  expect_says(build_detector(tree.checkpoint(tree.value(*network))).error(), ErrorKind::Unreadable,
              "head's 2 classes");
}

TEST(BuildDetector, ATreeThatHoldsItselfComesToAnEnd) {
  Tree tree;
  const auto loop = tree.module("torch.nn.modules.container.Sequential", {{"f", tree.number(-1)}}, {}, {});
  auto* parts =
      const_cast<weights::Value*>(weights::get(std::get<weights::Object>(loop->data).state, "_modules"));
  std::get<weights::Dict>(parts->data).entries.emplace_back(tree.text("0"), loop);
  const auto head =
      tree.module("ultralytics.nn.modules.head.Detect",
                  {{"nc", tree.number(2)}, {"nl", tree.number(1)}, {"stride", tree.tensor({1}, 8)}}, {}, {});
  const auto list = tree.module("torch.nn.modules.container.Sequential", {}, {}, {{"0", loop}, {"1", head}});
  const auto network = tree.module("ultralytics.nn.tasks.DetectionModel", {}, {}, {{"model", list}});
  expect_says(build_detector(tree.checkpoint(network)).error(), ErrorKind::Unreadable, "too deep");
}

TEST(BuildDetector, SharedPartsAreNotFollowedForEver) {
  Tree tree;
  auto part = tree.module("torch.nn.modules.linear.Identity", {}, {}, {});
  for (int i = 0; i < 12; ++i) {
    Tree::Entries copies;
    for (int k = 0; k < 10; ++k) copies.emplace_back(std::to_string(k), part);
    part = tree.module("torch.nn.modules.container.Sequential", {}, {}, copies);
  }
  const auto head =
      tree.module("ultralytics.nn.modules.head.Detect",
                  {{"nc", tree.number(2)}, {"nl", tree.number(1)}, {"stride", tree.tensor({1}, 8)}}, {}, {});
  const auto list = tree.module("torch.nn.modules.container.Sequential", {}, {}, {{"0", part}, {"1", head}});
  const auto network = tree.module("ultralytics.nn.tasks.DetectionModel", {}, {}, {{"model", list}});
  expect_says(build_detector(tree.checkpoint(network)).error(), ErrorKind::Unreadable, "too large");
}

TEST(BuildDetector, ASpoiltValueNeverCrashes) {
  // Every value of the tree in turn becomes None.
  Tree whole;
  made_up_checkpoint(whole);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Tree tree;
    const auto checkpoint = made_up_checkpoint(tree);
    tree.spoil(at);
    const auto built = build_detector(checkpoint);
    EXPECT_TRUE(built || !built.error().message.empty());
  }
}

TEST(BuildDetector, TensorsWithoutANetworkAreRefused) {
  Tree tree;
  const auto root = tree.dict({{"model", tree.dict({{"model.0.conv.weight", tree.tensor({4, 3, 3, 3})}})}});
  expect_says(build_detector(tree.checkpoint(root)).error(), ErrorKind::Unsupported, "without the network");
  EXPECT_FALSE(build_detector({}));
}

}  // namespace
}  // namespace alcove::models
