#include "weights/safetensors.h"

#include <fmt/format.h>

#include "weights/weights_testing.h"

namespace alcove::weights {
namespace {

using testing::little_endian;

std::string safetensors(const std::string& header, const std::string& numbers = "") {
  return little_endian<std::uint64_t>(header.size()) + header + numbers;
}
std::string entry(const std::string& type, const std::string& shape, std::size_t begin, std::size_t end) {
  return fmt::format(R"({{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})", type, shape, begin, end);
}

Error refusal(const std::string& file) {
  const auto read = read_safetensors(as_bytes(file), nullptr);
  EXPECT_FALSE(read) << file;
  return read ? Error{} : read.error();
}
// A file of this one tensor and eight bytes of numbers.
Error refusal_of(const std::string& tensor) {
  return refusal(safetensors("{\"a\":" + tensor + "}", "12345678"));
}

const std::string kTwo =
    "{\"a\":" + entry("F32", "[2]", 0, 8) + ",\"b\":" + entry("I16", "[1,2]", 8, 12) + "}";

TEST(ReadSafetensors, ReadsTensorsAndMetadata) {
  const auto file = safetensors(R"({"__metadata__":{"format":"pt"},"a":)" + entry("F32", "[2]", 0, 8) +
                                    ",\"none\":" + entry("F16", "[0,3]", 8, 8) +
                                    ",\"one\":" + entry("U8", "[]", 8, 9) + "}   ",
                                testing::numbers({1, 2}) + "\x07");
  const auto read = read_safetensors(as_bytes(file), nullptr);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->metadata.at("format"), "pt");
  EXPECT_EQ(*to_floats(read->tensors.at("a")), (std::vector{1.F, 2.F}));
  EXPECT_EQ(read->tensors.at("a").file_offset, file.size() - 9);
  EXPECT_EQ(*to_floats(read->tensors.at("one")), std::vector{7.F});
  EXPECT_EQ(read->tensors.at("none").element_count(), 0);
}

TEST(ReadSafetensors, ReadsAFileWithoutTensors) {
  EXPECT_TRUE(read_safetensors(as_bytes(safetensors("{}")), nullptr));
}

TEST(ReadSafetensors, SaysThatItIsCutAtEveryByte) {
  const auto file = safetensors(kTwo, std::string(12, '\1'));
  ASSERT_TRUE(read_safetensors(as_bytes(file), nullptr));
  for (std::size_t length = 0; length < file.size(); ++length)
    EXPECT_EQ(refusal(file.substr(0, length)).code, "truncated") << length;
}

TEST(ReadSafetensors, RefusesAHeaderThatIsNone) {
  EXPECT_EQ(refusal(little_endian<std::uint64_t>(100'000'001) + "{").code, "damaged");
  EXPECT_EQ(refusal(little_endian<std::uint64_t>(UINT64_MAX) + "{").code, "damaged");
  for (const std::string header : {"", " {}", "[]", "{", "{\"a\":1}", "{\"a\":{}}", "{\"__metadata__\":[]}",
                                   "{\"__metadata__\":{\"a\":1}}", "{} x"})
    EXPECT_EQ(refusal(safetensors(header)).code, "damaged") << header;
  EXPECT_EQ(refusal(safetensors("{\"a\":" + std::string(10'000, '['))).code, "damaged");
}

TEST(ReadSafetensors, RefusesSizesThatLie) {
  EXPECT_EQ(refusal_of(entry("F32", "[3]", 0, 8)).code, "damaged");
  EXPECT_EQ(refusal_of(entry("F32", "[1]", 0, 8)).code, "damaged");
  EXPECT_EQ(refusal_of(entry("F32", "[-2]", 0, 8)).code, "damaged");
  EXPECT_EQ(refusal_of(entry("F32", "[2.0]", 0, 8)).code, "damaged");
  EXPECT_EQ(refusal_of(entry("F32", "[4611686018427387904,4,2]", 0, 8)).code, "damaged");
  EXPECT_EQ(refusal_of(entry("F32", "[18446744073709551615]", 0, 8)).code, "damaged");
  EXPECT_EQ(refusal_of(entry("F32", "2", 0, 8)).code, "damaged");
  EXPECT_EQ(refusal_of(entry("F32", "[0]", 8, 0)).code, "damaged");
  EXPECT_EQ(refusal_of(entry("F32", "[4]", 0, 16)).code, "truncated");
  EXPECT_EQ(refusal_of(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})").code, "damaged");
  EXPECT_EQ(refusal_of(R"({"dtype":7,"shape":[2],"data_offsets":[0,8]})").code, "damaged");
}

TEST(ReadSafetensors, RefusesNumbersItDoesNotKnow) {
  const auto error = refusal_of(entry("F8_E4M3", "[8]", 0, 8));
  EXPECT_EQ(error.kind, ErrorKind::Unsupported);
  EXPECT_NE(error.message.find("F8_E4M3"), std::string::npos);
}

TEST(ReadSafetensors, RefusesOverlapsHolesAndLeftovers) {
  const auto pair = [](const std::string& first, const std::string& second) {
    return refusal(safetensors("{\"a\":" + first + ",\"b\":" + second + "}", "12345678")).message;
  };
  const auto says = [](const std::string& message, const char* word) {
    return message.find(word) != std::string::npos;
  };
  EXPECT_TRUE(says(pair(entry("U8", "[6]", 0, 6), entry("U8", "[4]", 4, 8)), "\"b\""));
  EXPECT_TRUE(says(pair(entry("U8", "[6]", 0, 6), entry("U8", "[4]", 4, 8)), "overlaps"));
  EXPECT_TRUE(says(pair(entry("U8", "[8]", 0, 8), entry("U8", "[8]", 0, 8)), "overlaps"));
  EXPECT_TRUE(says(pair(entry("U8", "[3]", 0, 3), entry("U8", "[4]", 4, 8)), "hole"));
  EXPECT_TRUE(says(pair(entry("U8", "[3]", 1, 4), entry("U8", "[4]", 4, 8)), "hole"));
  EXPECT_TRUE(says(pair(entry("U8", "[3]", 0, 3), entry("U8", "[4]", 3, 7)), "belong to no tensor"));
}

TEST(ReadSafetensors, RefusesANameThatStandsTwice) {
  const auto header = "{\"a\":" + entry("U8", "[8]", 0, 8) + ",\"a\":" + entry("U8", "[8]", 0, 8) + "}";
  EXPECT_NE(refusal(safetensors(header, "12345678")).message.find("twice"), std::string::npos);
}

TEST(ReadSafetensors, SurvivesEveryFlippedByte) {
  const auto file = safetensors(kTwo, std::string(12, '\1'));
  for (std::size_t at = 0; at < file.size(); ++at)
    for (const int flip : {0x01, 0x10, 0x80}) {
      auto wrong = file;
      wrong[at] = static_cast<char>(wrong[at] ^ flip);
      const auto read = read_safetensors(as_bytes(wrong), nullptr);
      if (!read) continue;
      for (const auto& [name, tensor] : read->tensors) EXPECT_TRUE(to_floats(tensor)) << name;
    }
}

}  // namespace
}  // namespace alcove::weights
