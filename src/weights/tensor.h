#pragma once
// A tensor as a file holds it: a typed, strided view into mapped bytes. Nothing is copied until somebody asks
// for numbers.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"

namespace alcove::weights {

enum class DType { F64, F32, F16, BF16, I64, I32, I16, I8, U8, Bool };

std::size_t size_of(DType type);       // bytes per element
std::string_view name_of(DType type);  // as safetensors spells it: "F32", "BF16", "BOOL"
bool is_floating(DType type);

// Invariant, checked by whoever makes one: every element that shape and strides reach lies inside `bytes`.
struct Tensor {
  DType type = DType::F32;
  std::vector<std::int64_t> shape;         // elements per axis, each >= 0; empty for a scalar
  std::vector<std::int64_t> strides;       // in elements, each >= 0, as long as shape
  Bytes bytes;                             // from the first element to the last one reached
  std::uint64_t file_offset = 0;           // where bytes.data() lies in the file it came from
  std::shared_ptr<const MappedFile> file;  // keeps the mapping alive

  std::int64_t element_count() const;  // product of shape; never overflows for a checked tensor
  bool is_contiguous() const;          // row-major without gaps
};

// Checks what the invariant says and cuts `bytes` to the part reached. `storage` is the whole storage,
// `first` the element offset. Unreadable ("damaged") when a size is negative, overflows, or leaves the
// storage, or when there are more axes than torch allows. `file` and `file_offset` are left for the caller to
// set.
inline constexpr std::size_t kMaxAxes = 64;
Result<Tensor> view_tensor(DType type, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides,
                           Bytes storage, std::int64_t first);
std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape);

// The numbers in row-major order as f32, whatever the type and strides were (f64 and i64 are rounded).
// TooLarge when a broadcast view (stride 0) would grow past `kMaxElements`.
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 30;
Result<std::vector<float>> to_floats(const Tensor& tensor);

// By name, in name order. Names are as the file has them.
using NamedTensors = std::map<std::string, Tensor, std::less<>>;

// NotFound naming the tensor.
Result<const Tensor*> find(const NamedTensors& tensors, std::string_view name);

}  // namespace alcove::weights
