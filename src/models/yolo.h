#pragma once
// Ultralytics detectors (YOLOv8, YOLOv5u, YOLO11): the pickled module tree to a graph, the head's numbers to
// boxes.

#include <span>
#include <string>
#include <vector>

#include "base/box.h"
#include "graph/graph.h"
#include "weights/checkpoint.h"

namespace alcove::models {

struct Detector {
  graph::Model graph;  // images [N,3,H,W] f32 RGB 0..1 → output0 [N, 4+classes, anchors]; N, H, W free
  std::vector<std::string> labels;  // by class index
  int stride = 32;                  // H and W are multiples of it
  int image_size = 640;             // the side it was trained for
  std::string description;          // "YOLOv8 detector, 23 layers, 3,006,038 parameters, stored as F16"
};

// From a torch archive: `ema` wins over `model`; architecture, strides and labels come from the pickled
// modules, so every width and depth works. From ONNX: taken as it is, labels from Ultralytics' metadata or
// the side file `labels` (one label a line). Unsupported, naming it, for another head (segment, pose, OBB,
// classify, end-to-end) or an unknown layer; Unreadable for a damaged tree.
Result<Detector> build_detector(const weights::Checkpoint& checkpoint);

struct Detection {
  Box box;               // in the pixels of the network's input
  float confidence = 0;  // 0..1
  int label = 0;
};

struct DetectLimits {
  float confidence = 0.25F;  // kept when strictly above
  float iou = 0.7F;          // of two boxes of one class, the weaker goes when they overlap by more
  int boxes = 300;
};

// Non-maximum suppression as Ultralytics does it, per class. `output` is one image's [4+classes, anchors].
// Best first, ties by anchor.
std::vector<Detection> read_detections(std::span<const float> output, int classes,
                                       const DetectLimits& limits = {});

}  // namespace alcove::models
