#pragma once
// Ultralytics' Detect head: feature maps of several strides to boxes and scores.

#include <string>
#include <vector>

#include "models/yolo_layers.h"

namespace alcove::models {

struct DetectHead {
  std::int64_t classes = 0;
  std::vector<float> strides;  // input pixels per cell, one per feature map
};

// Reads the numbers of a pickled Detect. Unsupported when it is another head (which is named) or end-to-end.
Result<DetectHead> read_head(const Module& module);

// Adds the head's nodes; the last one gives `output0` [N, 4 + classes, anchors]: centre x and y, width and
// height in input pixels, then sigmoid scores. Anchors are the maps' cells, map after map, row after row.
Result<void> add_head(Layers& layers, const Module& module, const DetectHead& head,
                      const std::vector<Feature>& maps);

}  // namespace alcove::models
