#include "weights/tensor.h"

#include <cmath>
#include <limits>

#include "weights/weights_testing.h"

namespace alcove::weights {
namespace {

using testing::little_endian;

constexpr auto kHuge = std::numeric_limits<std::int64_t>::max();

Tensor row(DType type, std::string_view bytes, std::int64_t count) {
  auto tensor = view_tensor(type, {count}, {1}, as_bytes(bytes), 0);
  EXPECT_TRUE(tensor);
  return *std::move(tensor);
}

std::vector<float> half_floats(const std::vector<std::uint16_t>& bits, DType type) {
  std::string bytes;
  for (const auto each : bits) bytes += little_endian(each);
  return *to_floats(row(type, bytes, static_cast<std::int64_t>(bits.size())));
}

TEST(ToFloats, WidensHalfPrecision) {
  const std::vector<float> expected{0.F,
                                    -0.F,
                                    1.F,
                                    -2.F,
                                    65504.F,
                                    6.103515625e-05F,  // smallest normal
                                    5.9604645e-08F,    // smallest subnormal
                                    6.0975552e-05F,    // largest subnormal
                                    0.333251953125F};
  const auto floats =
      half_floats({0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x03ff, 0x3555}, DType::F16);
  EXPECT_EQ(floats, expected);
  EXPECT_TRUE(std::signbit(floats[1]));
  const auto odd = half_floats({0x7c00, 0xfc00, 0x7e00}, DType::F16);
  EXPECT_EQ(odd[0], std::numeric_limits<float>::infinity());
  EXPECT_EQ(odd[1], -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(odd[2]));
}

// Every half is a whole number of 2⁻²⁴, which is how the format defines it.
TEST(ToFloats, WidensEveryFiniteHalf) {
  std::vector<std::uint16_t> bits;
  for (std::uint32_t half = 0; half < 0x7c00; ++half) bits.push_back(static_cast<std::uint16_t>(half));
  const auto floats = half_floats(bits, DType::F16);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const int exponent = bits[i] >> 10;
    const int fraction = bits[i] & 0x3ff;
    const double value =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    ASSERT_EQ(floats[i], value) << i;
  }
}

TEST(ToFloats, WidensBrainFloats) {
  EXPECT_EQ(half_floats({0x3f80, 0xc040, 0x0000, 0x7f80}, DType::BF16),
            (std::vector<float>{1.F, -3.F, 0.F, std::numeric_limits<float>::infinity()}));
}

TEST(ToFloats, ReadsEveryOtherType) {
  EXPECT_EQ(*to_floats(row(DType::F64, little_endian(-2.5), 1)), std::vector{-2.5F});
  EXPECT_EQ(*to_floats(row(DType::I64, little_endian(std::int64_t{1} << 40), 1)),
            std::vector{1099511627776.F});
  EXPECT_EQ(*to_floats(row(DType::I32, little_endian(-7), 1)), std::vector{-7.F});
  EXPECT_EQ(*to_floats(row(DType::I16, little_endian<std::int16_t>(-300), 1)), std::vector{-300.F});
  EXPECT_EQ(*to_floats(row(DType::I8, "\xff", 1)), std::vector{-1.F});
  EXPECT_EQ(*to_floats(row(DType::U8, "\xff", 1)), std::vector{255.F});
  EXPECT_EQ(*to_floats(row(DType::Bool, {"\x01\x00\x02", 3}, 3)), (std::vector{1.F, 0.F, 1.F}));
}

TEST(ToFloats, FollowsStrides) {
  const auto storage = testing::numbers({0, 1, 2, 3, 4, 5});
  const auto floats = [&](std::vector<std::int64_t> shape, std::vector<std::int64_t> strides,
                          std::int64_t first) {
    return *to_floats(
        *view_tensor(DType::F32, std::move(shape), std::move(strides), as_bytes(storage), first));
  };
  EXPECT_EQ(floats({3, 2}, {1, 3}, 0), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(floats({2, 2}, {0, 1}, 4), (std::vector<float>{4, 5, 4, 5}));
  EXPECT_EQ(floats({2, 2, 2}, {1, 2, 1}, 0), (std::vector<float>{0, 1, 2, 3, 1, 2, 3, 4}));
  EXPECT_EQ(floats({}, {}, 5), std::vector<float>{5});
  EXPECT_EQ(floats({0, 7}, {7, 1}, 6), std::vector<float>{});
  // The stride of an axis of length 1 is never used.
  EXPECT_EQ(floats({3, 1, 2}, {2, kHuge, 1}, 0), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(floats({1, 2, 1}, {kHuge, 3, kHuge}, 1), (std::vector<float>{1, 4}));
}

TEST(ToFloats, RefusesABroadcastThatWouldFillTheMemory) {
  const auto storage = testing::numbers({1});
  const auto tensor = view_tensor(DType::F32, {std::int64_t{1} << 31}, {0}, as_bytes(storage), 0);
  ASSERT_TRUE(tensor);
  EXPECT_EQ(to_floats(*tensor).error().kind, ErrorKind::TooLarge);
}

TEST(ViewTensor, CutsToTheBytesReached) {
  const auto storage = testing::numbers({0, 1, 2, 3, 4, 5});
  const auto tensor = view_tensor(DType::F32, {2, 2}, {2, 1}, as_bytes(storage), 1);
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->bytes.data(), as_bytes(storage).data() + 4);
  EXPECT_EQ(tensor->bytes.size(), 16U);
  EXPECT_TRUE(tensor->is_contiguous());
  EXPECT_EQ(tensor->element_count(), 4);
}

TEST(ViewTensor, RefusesWhatLeavesTheStorage) {
  const auto storage = testing::numbers({0, 1, 2, 3, 4, 5});
  const auto refused = [&](std::vector<std::int64_t> shape, std::vector<std::int64_t> strides,
                           std::int64_t first) {
    const auto tensor =
        view_tensor(DType::F32, std::move(shape), std::move(strides), as_bytes(storage), first);
    return !tensor && tensor.error().kind == ErrorKind::Unreadable && tensor.error().code == "damaged";
  };
  EXPECT_TRUE(refused({7}, {1}, 0));
  EXPECT_TRUE(refused({6}, {1}, 1));
  EXPECT_TRUE(refused({2}, {6}, 0));
  EXPECT_TRUE(refused({}, {}, 6));
  EXPECT_TRUE(refused({0}, {1}, 7));
  EXPECT_TRUE(refused({1}, {1}, -1));
  EXPECT_TRUE(refused({-1}, {1}, 0));
  EXPECT_TRUE(refused({2}, {-1}, 3));
  EXPECT_TRUE(refused({2, 3}, {1}, 0));
  EXPECT_TRUE(refused({kHuge, kHuge}, {1, 1}, 0));
  EXPECT_TRUE(refused({3, 3}, {kHuge, kHuge}, 0));
  EXPECT_TRUE(refused({kHuge, 2}, {0, 0}, 0));
  EXPECT_TRUE(refused(std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1), 0));
  EXPECT_TRUE(refused({1}, {1}, kHuge));
}

TEST(ViewTensor, TakesAnEmptyTensorOfAnyOtherSize) {
  const auto tensor = view_tensor(DType::F32, {kHuge, 0, kHuge}, {1, 1, 1}, {}, 0);
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->element_count(), 0);
  EXPECT_EQ(contiguous_strides({kHuge, kHuge, kHuge}).size(), 3U);
}

TEST(IsContiguous, TellsRowsFromColumns) {
  const auto storage = testing::numbers({0, 1, 2, 3, 4, 5});
  const auto contiguous = [&](std::vector<std::int64_t> shape, std::vector<std::int64_t> strides) {
    return view_tensor(DType::F32, std::move(shape), std::move(strides), as_bytes(storage), 0)
        ->is_contiguous();
  };
  EXPECT_TRUE(contiguous({2, 3}, {3, 1}));
  EXPECT_TRUE(contiguous({2, 1, 3}, {3, 99, 1}));
  EXPECT_TRUE(contiguous({}, {}));
  EXPECT_FALSE(contiguous({3, 2}, {1, 3}));
  EXPECT_FALSE(contiguous({2, 2}, {3, 1}));
}

TEST(Find, NamesTheTensorThatIsMissing) {
  const NamedTensors tensors{{"fc.weight", {}}};
  EXPECT_TRUE(find(tensors, "fc.weight"));
  const auto missing = find(tensors, "fc.bias");
  EXPECT_EQ(missing.error().kind, ErrorKind::NotFound);
  EXPECT_NE(missing.error().message.find("\"fc.bias\""), std::string::npos);
}

}  // namespace
}  // namespace alcove::weights
