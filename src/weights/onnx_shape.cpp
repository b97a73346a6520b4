#include "weights/onnx_shape.h"

#include <algorithm>

namespace alcove::weights {
namespace {

constexpr std::uint64_t kVarint = 0;
constexpr std::uint64_t kLength = 2;

// ModelProto, onnx.proto.
struct Field {
  std::uint64_t number;
  std::uint64_t wire;
};
constexpr Field kVersion{1, kVarint};
constexpr Field kGraph{7, kLength};
constexpr Field kOperatorSet{8, kLength};
constexpr Field kFields[] = {kVersion,      {2, kLength},  {3, kLength},  {4, kLength},
                             {5, kVarint},  {6, kLength},  kGraph,        kOperatorSet,
                             {14, kLength}, {20, kLength}, {25, kLength}, {26, kLength}};
constexpr std::uint64_t kNewestVersion = 64;  // 13 when this was written

Result<std::uint64_t> read_varint(ByteReader& in) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = TRY(in.little_endian<std::uint8_t>());
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return fail(ErrorKind::Unreadable, "a varint of more than ten bytes");
}

bool is_field(const Field& field, std::uint64_t tag) { return tag == (field.number << 3 | field.wire); }

}  // namespace

OnnxShape onnx_shape(Bytes bytes) {
  bool version = false;
  bool graph = false;
  bool operators = false;
  const auto cut = [&] { return version || graph ? OnnxShape::Cut : OnnxShape::Other; };
  ByteReader in(bytes);
  while (!in.at_end()) {
    const auto tag = read_varint(in);
    if (!tag) return cut();
    const auto field =
        std::ranges::find_if(kFields, [&](const Field& known) { return is_field(known, *tag); });
    if (field == std::end(kFields)) return OnnxShape::Other;
    const auto value = read_varint(in);
    if (!value) return cut();
    if (is_field(kVersion, *tag) && (*value == 0 || *value > kNewestVersion)) return OnnxShape::Other;
    if (field->wire == kLength && !in.take(*value)) return cut();
    version = version || is_field(kVersion, *tag);
    graph = graph || is_field(kGraph, *tag);
    operators = operators || is_field(kOperatorSet, *tag);
  }
  return version && graph && operators ? OnnxShape::Whole : cut();
}

}  // namespace alcove::weights
