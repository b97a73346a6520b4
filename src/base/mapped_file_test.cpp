#include "base/mapped_file.h"

#include <gtest/gtest.h>

#include <fstream>

namespace alcove {
namespace {

std::filesystem::path scratch(const std::string& name) {
  return std::filesystem::path(testing::TempDir()) / name;
}

TEST(MappedFile, ShowsTheBytesOfAFile) {
  std::ofstream(scratch("mapped")) << "seven b";
  const auto file = MappedFile::open(scratch("mapped"));
  ASSERT_TRUE(file);
  EXPECT_EQ(as_text(file->bytes()), "seven b");
}

TEST(MappedFile, StaysValidWhenMoved) {
  std::ofstream(scratch("moved")) << "kept";
  auto first = MappedFile::open(scratch("moved"));
  ASSERT_TRUE(first);
  const MappedFile second = *std::move(first);
  EXPECT_EQ(as_text(second.bytes()), "kept");
}

TEST(MappedFile, SaysWhatIsWrong) {
  EXPECT_EQ(MappedFile::open(scratch("absent")).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(MappedFile::open(testing::TempDir()).error().kind, ErrorKind::BadInput);
  std::ofstream(scratch("empty")).flush();
  const auto empty = MappedFile::open(scratch("empty"));
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().kind, ErrorKind::Unreadable);
  EXPECT_NE(empty.error().message.find("is empty"), std::string::npos);
}

}  // namespace
}  // namespace alcove
