#include "models/onnx_file.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/mapped_file.h"
#include "models/initialisers.h"
#include "models/labels.h"

namespace alcove::models {
namespace {

namespace fs = std::filesystem;
using graph::ElementType;
using graph::Port;

constexpr std::size_t kMaxSideFile = 1 << 20;

std::string shape_text(const Port& port) {
  std::vector<std::string> sizes;
  for (const auto& each : port.shape)
    sizes.push_back(each.size >= 0 ? std::to_string(each.size) : each.name.empty() ? "?" : each.name);
  return fmt::format("[{}]", fmt::join(sizes, ","));
}

// Whether a dimension is `size`, or free to be.
bool may_be(const graph::Dimension& dimension, std::int64_t size) {
  return dimension.size < 0 || dimension.size == size;
}

std::unexpected<Error> other_ports(std::string_view wanted, const Port& in, const Port& out) {
  return fail(ErrorKind::Unsupported, fmt::format("the graph makes {} {} of {} {}; {}", out.name,
                                                  shape_text(out), in.name, shape_text(in), wanted));
}

const std::string* metadata(const graph::Model& graph, const std::string& key) {
  const auto found = graph.metadata().find(key);
  return found == graph.metadata().end() ? nullptr : &found->second;
}

// The number in "32", or the largest in "[640, 480]"; `otherwise` when there is none in 1..8192.
int largest_number(const std::string* text, int otherwise) {
  int largest = 0;
  for (std::size_t at = 0; text != nullptr && at < text->size();) {
    int value = 0;
    const auto [stop, error] = std::from_chars(text->data() + at, text->data() + text->size(), value);
    if (error == std::errc()) largest = std::max(largest, value);
    at = std::max(at + 1, static_cast<std::size_t>(stop - text->data()));
  }
  return largest >= 1 && largest <= 8192 ? largest : otherwise;
}

std::optional<std::vector<std::string>> lines_of(const fs::path& path) {
  const auto file = MappedFile::open(path);
  if (!file || file->bytes().size() > kMaxSideFile) return std::nullopt;
  return split_lines(as_text(file->bytes()));
}

Result<std::vector<std::string>> find_labels(const graph::Model& graph, const fs::path& path) {
  if (const auto* names = metadata(graph, "names")) return parse_labels(*names);
  const auto beside = fs::path(path.string() + ".labels");
  if (auto lines = lines_of(beside)) return *std::move(lines);
  if (auto lines = lines_of(path.parent_path() / "labels.txt")) return *std::move(lines);
  return fail(ErrorKind::Unsupported,
              fmt::format("the model has no class names; write them into {}, one a line", beside.string()));
}

Result<Detector> take_detector(graph::Model graph, const fs::path& path, const Port& in, const Port& out) {
  if (const auto* task = metadata(graph, "task"); task && *task != "detect")
    return fail(
        ErrorKind::Unsupported,
        fmt::format("this is a model for the task '{}'; Alcove runs detection models, export one of those",
                    *task));
  if (in.shape.size() != 4 || !may_be(in.shape[1], 3) || out.shape.size() != 3)
    return other_ports("a detector makes [N,4+classes,anchors] of [N,3,H,W]", in, out);
  auto labels = TRY(find_labels(graph, path));
  if (labels.empty() || !may_be(out.shape[1], static_cast<std::int64_t>(labels.size()) + 4))
    return other_ports(
        fmt::format("that does not fit its {} class names (an end-to-end export, or another model's names?)",
                    labels.size()),
        in, out);
  const auto stride = largest_number(metadata(graph, "stride"), 32);
  const auto side = largest_number(metadata(graph, "imgsz"), 640);
  auto description = fmt::format("ONNX detector, {} classes, {} parameters, stored as {}", labels.size(),
                                 with_commas(graph.parameter_count()), graph::name_of(graph.stored_as()));
  return Detector{std::move(graph), std::move(labels), stride, side, std::move(description)};
}

Result<std::string> find_alphabet(const graph::Model& graph, const fs::path& path, const Port& out) {
  if (const auto* alphabet = metadata(graph, "alphabet")) return *alphabet;
  const auto beside = fs::path(path.string() + ".alphabet");
  if (const auto lines = lines_of(beside); lines && !lines->empty()) return lines->front();
  if (out.shape[2].size < 0)
    return fail(
        ErrorKind::Unsupported,
        fmt::format(
            "the model leaves its number of classes open and has no alphabet; write it into {}, one line",
            beside.string()));
  return usual_alphabet(out.shape[2].size);
}

Result<Reader> take_reader(graph::Model graph, const fs::path& path, const Port& in, const Port& out) {
  if (in.shape.size() != 4 || !may_be(in.shape[1], 1) || !may_be(in.shape[2], 32) || out.shape.size() != 3)
    return other_ports("a reader makes [T,N,classes] of [N,1,32,W]", in, out);
  const auto alphabet = TRY(find_alphabet(graph, path, out));
  const auto classes = alphabet.size() + 1;
  if (alphabet.empty() || !may_be(out.shape[2], static_cast<std::int64_t>(classes)))
    return other_ports(
        fmt::format("that does not fit an alphabet of {} symbols and the blank", alphabet.size()), in, out);
  auto description = fmt::format("ONNX reader, {} classes, {} parameters, stored as {}", classes,
                                 with_commas(graph.parameter_count()), graph::name_of(graph.stored_as()));
  return Reader{std::move(graph), alphabet, static_cast<int>(classes), std::move(description)};
}

}  // namespace

Result<std::variant<Detector, Reader>> take_onnx(graph::Model graph, const fs::path& path) {
  const auto inputs = graph.inputs();
  const auto outputs = graph.outputs();
  if (inputs.size() != 1 || outputs.size() != 1 || inputs[0].type != ElementType::F32 ||
      outputs[0].type != ElementType::F32)
    return fail(ErrorKind::Unsupported, fmt::format("the graph has {} inputs and {} outputs; detectors and "
                                                    "readers have one of each, of 32-bit floats",
                                                    inputs.size(), outputs.size()));
  const bool grey = inputs[0].shape.size() == 4 && inputs[0].shape[1].size == 1;
  if (grey || metadata(graph, "alphabet"))
    return TRY(take_reader(std::move(graph), path, inputs[0], outputs[0]));
  return TRY(take_detector(std::move(graph), path, inputs[0], outputs[0]));
}

}  // namespace alcove::models
