#include "weights/tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "weights/refusal.h"

namespace alcove::weights {
namespace {

struct TypeRow {
  std::string_view name;
  std::size_t bytes;
  bool floating;
};

// In the order of DType.
constexpr std::array kTypes{TypeRow{"F64", 8, true},  TypeRow{"F32", 4, true},  TypeRow{"F16", 2, true},
                            TypeRow{"BF16", 2, true}, TypeRow{"I64", 8, false}, TypeRow{"I32", 4, false},
                            TypeRow{"I16", 2, false}, TypeRow{"I8", 1, false},  TypeRow{"U8", 1, false},
                            TypeRow{"BOOL", 1, false}};

const TypeRow& row_of(DType type) { return kTypes[static_cast<std::size_t>(type)]; }

// IEEE half precision by integer steps, which compilers vectorise and which work under any rounding or
// denormals-are-zero setting: exponent and fraction move into place and the exponent is rebased; infinities
// and NaNs get the rest of their exponent; a subnormal half is made normal by one exact subtraction.
float from_f16(std::uint16_t half) {
  constexpr std::uint32_t kExponent = 0x7c00U << 13;
  constexpr std::uint32_t kRebase = (127U - 15U) << 23;
  std::uint32_t bits = (half & 0x7fffU) << 13;
  const std::uint32_t exponent = bits & kExponent;
  bits += kRebase;
  if (exponent == kExponent) bits += (128U - 16U) << 23;
  if (exponent == 0) {
    constexpr auto kSmallestNormal = std::bit_cast<float>(113U << 23);
    bits = std::bit_cast<std::uint32_t>(std::bit_cast<float>(bits + (1U << 23)) - kSmallestNormal);
  }
  return std::bit_cast<float>(bits | (half & 0x8000U) << 16);
}

float from_bf16(std::uint16_t upper) { return std::bit_cast<float>(std::uint32_t{upper} << 16); }

// Bytes of a file need not be aligned, hence the copies; they cost nothing on the machines we run on.
template <class T>
T load(const std::uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

// `count` elements `step` bytes apart.
template <class Read>
void copy_line(const std::uint8_t* from, std::size_t step, std::size_t count, float* to, Read read) {
  for (std::size_t i = 0; i < count; ++i) to[i] = read(from + i * step);
}

void copy_line(DType type, const std::uint8_t* from, std::size_t step, std::size_t count, float* to) {
  const auto numbers = [&]<class T>(T) {
    copy_line(from, step, count, to, [](const std::uint8_t* at) { return static_cast<float>(load<T>(at)); });
  };
  switch (type) {
    case DType::F64: return numbers(double{});
    case DType::F32: return numbers(float{});
    case DType::I64: return numbers(std::int64_t{});
    case DType::I32: return numbers(std::int32_t{});
    case DType::I16: return numbers(std::int16_t{});
    case DType::I8: return numbers(std::int8_t{});
    case DType::U8: return numbers(std::uint8_t{});
    case DType::Bool:
      return copy_line(from, step, count, to, [](const std::uint8_t* at) { return *at != 0 ? 1.F : 0.F; });
    case DType::F16:
      return copy_line(from, step, count, to,
                       [](const std::uint8_t* at) { return from_f16(load<std::uint16_t>(at)); });
    case DType::BF16:
      return copy_line(from, step, count, to,
                       [](const std::uint8_t* at) { return from_bf16(load<std::uint16_t>(at)); });
  }
}

// Nothing when a size is negative or the product passes 63 bits. An axis of length 0 makes it 0 whatever the
// others are.
std::optional<std::int64_t> product(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  bool empty = false;
  bool overflowed = false;
  for (const auto size : shape) {
    if (size < 0) return std::nullopt;
    empty = empty || size == 0;
    overflowed = overflowed || __builtin_mul_overflow(count, size, &count);
  }
  if (empty) return 0;
  return overflowed ? std::nullopt : std::optional(count);
}

// Elements from the first to the last one reached, both counted; nothing on overflow. For a shape without a
// 0.
std::optional<std::int64_t> extent(const std::vector<std::int64_t>& shape,
                                   const std::vector<std::int64_t>& strides) {
  std::int64_t last = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(shape[axis] - 1, strides[axis], &reach)) return std::nullopt;
    if (__builtin_add_overflow(last, reach, &last)) return std::nullopt;
  }
  if (__builtin_add_overflow(last, 1, &last)) return std::nullopt;
  return last;
}

std::unexpected<Error> refused(std::string_view why, const std::vector<std::int64_t>& shape) {
  return damaged(fmt::format("a tensor of shape [{}] {}", fmt::join(shape, ", "), why));
}

}  // namespace

std::size_t size_of(DType type) { return row_of(type).bytes; }
std::string_view name_of(DType type) { return row_of(type).name; }
bool is_floating(DType type) { return row_of(type).floating; }

std::int64_t Tensor::element_count() const { return product(shape).value_or(0); }

bool Tensor::is_contiguous() const {
  if (element_count() == 0) return true;
  std::int64_t step = 1;
  for (auto axis = shape.size(); axis-- > 0;) {
    // The stride of an axis of length 1 is never used, and files hold anything there.
    if (shape[axis] != 1 && strides[axis] != step) return false;
    step *= shape[axis];
  }
  return true;
}

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::uint64_t step = 1;  // unsigned: a shape that overflows is refused by view_tensor, not here
  for (auto axis = shape.size(); axis-- > 0;) {
    strides[axis] = static_cast<std::int64_t>(step & INT64_MAX);
    step *= static_cast<std::uint64_t>(shape[axis] > 1 ? shape[axis] : 1);
  }
  return strides;
}

Result<Tensor> view_tensor(DType type, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides,
                           Bytes storage, std::int64_t first) {
  if (shape.size() != strides.size()) return refused(fmt::format("has {} strides", strides.size()), shape);
  if (shape.size() > kMaxAxes) return refused(fmt::format("has more than {} axes", kMaxAxes), {});
  const auto count = product(shape);
  if (!count) return refused("has a size that is negative or too large to count", shape);
  for (const auto stride : strides)
    if (stride < 0) return refused("has a negative stride", shape);
  const auto width = size_of(type);
  const auto held = static_cast<std::int64_t>(storage.size() / width);
  if (first < 0 || first > held)
    return refused(fmt::format("starts at element {} of a storage of {}", first, held), shape);

  const auto reached = *count == 0 ? std::optional<std::int64_t>(0) : extent(shape, strides);
  if (!reached || *reached > held - first)
    return refused(fmt::format("leaves its storage of {} elements", held), shape);
  return Tensor{.type = type,
                .shape = std::move(shape),
                .strides = std::move(strides),
                .bytes = storage.subspan(static_cast<std::size_t>(first) * width,
                                         static_cast<std::size_t>(*reached) * width),
                .file_offset = 0,
                .file = nullptr};
}

Result<std::vector<float>> to_floats(const Tensor& tensor) {
  const auto count = tensor.element_count();
  if (count > kMaxElements)
    return fail(ErrorKind::TooLarge,
                fmt::format("a tensor of {} elements; at most {} are converted", count, kMaxElements));
  std::vector<float> floats(static_cast<std::size_t>(count));
  if (count == 0) return floats;
  const auto width = size_of(tensor.type);
  if (tensor.is_contiguous()) {
    copy_line(tensor.type, tensor.bytes.data(), width, floats.size(), floats.data());
    return floats;
  }

  // A line along the last axis at a time; `at` counts the axes before it, like the digits of an odometer.
  // Unsigned, because the stride of an axis of length 1 may be anything and is added before it is taken back.
  const auto line = static_cast<std::size_t>(tensor.shape.back());
  const auto step = static_cast<std::size_t>(tensor.strides.back()) * width;
  std::vector<std::int64_t> at(tensor.shape.size() - 1, 0);
  std::uint64_t element = 0;
  for (std::size_t done = 0; done < floats.size(); done += line) {
    copy_line(tensor.type, tensor.bytes.data() + element * width, step, line, floats.data() + done);
    for (auto axis = at.size(); axis-- > 0;) {
      const auto stride = static_cast<std::uint64_t>(tensor.strides[axis]);
      element += stride;
      if (++at[axis] < tensor.shape[axis]) break;
      element -= stride * static_cast<std::uint64_t>(tensor.shape[axis]);
      at[axis] = 0;
    }
  }
  return floats;
}

Result<const Tensor*> find(const NamedTensors& tensors, std::string_view name) {
  const auto found = tensors.find(name);
  if (found == tensors.end())
    return fail(ErrorKind::NotFound, fmt::format("the weights have no tensor \"{}\"", name));
  return &found->second;
}

}  // namespace alcove::weights
