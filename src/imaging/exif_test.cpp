#include "imaging/exif.h"

#include <gtest/gtest.h>

#include "imaging/testing.h"

namespace alcove::imaging {
namespace {

// One directory with two entries: a width, and the orientation `value` of type `type`.
Buffer little(std::uint8_t value, std::uint8_t type = 3) {
  return {'I', 'I', 42, 0,  8, 0,    0, 0, 2, 0, 0, 1,     4, 0, 1, 0, 0, 0, 9,
          0,   0,   0,  18, 1, type, 0, 1, 0, 0, 0, value, 0, 0, 0, 0, 0, 0, 0};
}
Buffer big(std::uint8_t value) {
  return {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0};
}

TEST(ExifOrientation, IsReadInBothByteOrders) {
  for (int value = 1; value <= 8; ++value) {
    EXPECT_EQ(exif_orientation(little(value)), value);
    EXPECT_EQ(exif_orientation(big(value)), value);
  }
}

TEST(ExifOrientation, IsUprightWhenItMakesNoSense) {
  EXPECT_EQ(exif_orientation(little(0)), 1);
  EXPECT_EQ(exif_orientation(little(9)), 1);
  EXPECT_EQ(exif_orientation(little(6, /*type*/ 2)), 1);
  EXPECT_EQ(exif_orientation(buffer("XX*")), 1);
  EXPECT_EQ(exif_orientation({}), 1);
}

TEST(ExifOrientation, OfACutBlockIsUpright) {
  const Buffer whole = little(6);
  constexpr std::size_t kEndOfEntry = 34;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Buffer cut(whole.begin(), whole.begin() + size);
    EXPECT_EQ(exif_orientation(cut), size < kEndOfEntry ? 1 : 6) << size;
  }
}

TEST(ExifOrientation, DirectoryFarOutsideIsUpright) {
  Buffer bytes = little(6);
  bytes[4] = bytes[5] = bytes[6] = bytes[7] = 0xFF;
  EXPECT_EQ(exif_orientation(bytes), 1);
}

TEST(ExifOrientation, AnyBytesGiveAnOrientation) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    const int orientation = exif_orientation(with_flips(little(6), random));
    EXPECT_GE(orientation, 1);
    EXPECT_LE(orientation, 8);
  }
}

}  // namespace
}  // namespace alcove::imaging
