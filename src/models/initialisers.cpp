#include "models/initialisers.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>

namespace alcove::models {
namespace {

// Engines read the bytes where they lie, so an element must not straddle its own size.
bool is_aligned(const weights::Tensor& tensor) {
  return reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % weights::size_of(tensor.type) == 0;
}

std::string bytes_of(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace

std::optional<graph::ElementType> kept_type(weights::DType type) {
  switch (type) {
    case weights::DType::F32: return graph::ElementType::F32;
    case weights::DType::F16: return graph::ElementType::F16;
    case weights::DType::BF16: return graph::ElementType::BF16;
    default: return std::nullopt;
  }
}

Result<graph::Value> add_tensor(graph::Builder& builder, const std::string& name,
                                const weights::Tensor& tensor) {
  graph::Weight weight{.name = name, .shape = tensor.shape};
  const auto kept = kept_type(tensor.type);
  if (kept && tensor.file && tensor.is_contiguous() && is_aligned(tensor)) {
    weight.type = *kept;
    weight.data = graph::ExternalData{tensor.file->path(), tensor.file_offset, tensor.bytes.size(),
                                      tensor.bytes.data(), tensor.file};
  } else {
    weight.data = bytes_of(TRY(weights::to_floats(tensor)));
  }
  return builder.add_weight(weight);
}

std::string with_commas(std::int64_t count) {
  std::string text;
  const auto digits = std::to_string(count);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace alcove::models
