#pragma once
// A .onnx file as a detector or a reader, taken as it is. What the graph does not say comes from its
// metadata, else from a file beside it.

#include <filesystem>
#include <variant>

#include "models/crnn.h"
#include "models/yolo.h"

namespace alcove::models {

// A reader when the metadata has `alphabet` or the picture is grey ([N,1,32,W]); else a detector.
//
// Detector: one output of [N, 4 + classes, anchors]. Labels from metadata `names`, else FILE.labels or
// labels.txt beside the file, one a line; `stride` and `imgsz` from the metadata, else 32 and 640. Reader:
// one output of [T, N, classes]. The alphabet from metadata, else the first line of FILE.alphabet, else what
// the class count says, as in build_reader(). Unsupported when inputs or outputs are others, or labels cannot
// be found or do not fit the classes.
Result<std::variant<Detector, Reader>> take_onnx(graph::Model graph, const std::filesystem::path& path);

}  // namespace alcove::models
