#include "weights/zip_directory.h"

#include "weights/weights_testing.h"

namespace alcove::weights {
namespace {

using testing::central_header;
using testing::end_record;
using testing::Entry;
using testing::little_endian;
using testing::local_header;
using testing::zip;

// In place, at the nth time `what` stands in the file.
std::string changed(std::string file, const std::string& what, const std::string& to, std::size_t skip = 0) {
  auto at = file.find(what);
  for (; skip > 0; --skip) at = file.find(what, at + 1);
  EXPECT_NE(at, std::string::npos);
  return file.replace(at, to.size(), to);
}

std::string refusal(const std::string& file) {
  const auto directory = ZipDirectory::open(as_bytes(file));
  EXPECT_FALSE(directory);
  if (directory) return "";
  EXPECT_EQ(directory.error().kind, ErrorKind::Unreadable);
  return directory.error().code;
}

const std::vector<Entry> kTwo{{"a/data.pkl", "pickle"}, {"a/data/0", "numbers"}};

TEST(Crc32, AgreesWithTheStandard) {
  EXPECT_EQ(crc32(as_bytes("123456789")), 0xcbf43926U);
  EXPECT_EQ(crc32(as_bytes("The quick brown fox jumps over the lazy dog")), 0x414fa339U);
  EXPECT_EQ(crc32({}), 0U);
}

TEST(ZipDirectory, ReadsStoredEntries) {
  const auto file = zip(kTwo);
  const auto directory = ZipDirectory::open(as_bytes(file));
  ASSERT_TRUE(directory) << directory.error().message;
  EXPECT_EQ(directory->entries().size(), 2U);
  EXPECT_EQ(as_text(*directory->read("a/data/0")), "numbers");
  EXPECT_EQ(directory->read("a/data/1").error().kind, ErrorKind::NotFound);
}

TEST(ZipDirectory, ReadsAnEmptyArchiveAndAComment) {
  EXPECT_TRUE(ZipDirectory::open(as_bytes(zip({}))));
  auto file = zip(kTwo);
  file.replace(file.size() - 2, 2, little_endian<std::uint16_t>(5));
  EXPECT_TRUE(ZipDirectory::open(as_bytes(file + "PK\x05\x06!")));
}

TEST(ZipDirectory, ReadsZip64) {
  // Sizes and offsets stand in extra fields, the end in a record of its own.
  const Entry entry{"big", "numbers"};
  const auto size = little_endian<std::uint64_t>(entry.data.size());
  const std::string elsewhere = "\xff\xff\xff\xff";
  const auto extra = [](const std::string& content) {
    return little_endian<std::uint16_t>(1) + little_endian(static_cast<std::uint16_t>(content.size())) +
           content;
  };
  auto local = local_header(entry);
  local.replace(18, 8, elsewhere + elsewhere).replace(28, 2, little_endian<std::uint16_t>(20));
  auto central = central_header(entry, 0xffffffff);
  central.replace(20, 8, elsewhere + elsewhere).replace(30, 2, little_endian<std::uint16_t>(28));
  central += extra(size + size + little_endian<std::uint64_t>(0));
  const auto before = local + extra(size + size) + entry.data;
  const auto record = "PK\x06\x06" + little_endian<std::uint64_t>(44) + std::string(4 + 8, '\0') +
                      little_endian<std::uint64_t>(1) + little_endian<std::uint64_t>(1) +
                      little_endian<std::uint64_t>(central.size()) +
                      little_endian<std::uint64_t>(before.size());
  const auto locator = [&](std::uint64_t offset) {
    return "PK\x06\x07" + little_endian<std::uint32_t>(0) + little_endian(offset) +
           little_endian<std::uint32_t>(1);
  };
  const auto end = end_record(0xffff, 0xffffffff, 0xffffffff);
  const auto at = before.size() + central.size();

  const auto file = before + central + record + locator(at) + end;
  const auto directory = ZipDirectory::open(as_bytes(file));
  ASSERT_TRUE(directory) << directory.error().message;
  EXPECT_EQ(as_text(*directory->read("big")), "numbers");

  EXPECT_EQ(refusal(before + central + record + locator(at + 1) + end), "damaged");
  EXPECT_EQ(refusal(before + central + record + locator(UINT64_MAX) + end), "damaged");
  EXPECT_EQ(refusal(before + central + record + locator(at) + end_record(1, 7, 0)), "damaged");
}

TEST(ZipDirectory, TakesSizesThatFollowTheData) {
  // As torch writes them: flag 3, zeroes in the local header, the sizes behind the data.
  const Entry entry{"a/data.pkl", "pickle"};
  auto local = local_header(entry);
  local.replace(6, 2, little_endian<std::uint16_t>(8)).replace(14, 12, std::string(12, '\0'));
  const auto before = local + entry.data + "PK\x07\x08" + std::string(12, '\0');
  const auto central = central_header(entry, 0);
  const auto file = before + central + end_record(1, central.size(), before.size());
  const auto directory = ZipDirectory::open(as_bytes(file));
  ASSERT_TRUE(directory) << directory.error().message;
  EXPECT_EQ(as_text(*directory->read("a/data.pkl")), "pickle");
}

TEST(ZipDirectory, SaysThatItIsCutAtEveryByte) {
  const auto file = zip(kTwo);
  for (std::size_t length = 0; length < file.size(); ++length)
    EXPECT_EQ(refusal(file.substr(0, length)), "truncated") << length;
}

TEST(ZipDirectory, RefusesDeflatedEntriesOnlyWhenTheyAreAskedFor) {
  const auto file = zip({{"a/data.pkl", "squeezed", 8}, {"a/version", "3"}});
  const auto directory = ZipDirectory::open(as_bytes(file));
  ASSERT_TRUE(directory);
  EXPECT_TRUE(directory->read("a/version"));
  const auto entry = directory->read("a/data.pkl");
  ASSERT_FALSE(entry);
  EXPECT_NE(entry.error().message.find("zip -0"), std::string::npos);
}

TEST(ZipDirectory, RefusesEntriesThatOverlap) {
  // Two entries of the same data, as zip bombs have them.
  const Entry outer{"a", local_header({"b", "data"}) + "data"};
  const auto before = local_header(outer) + outer.data;
  const auto central = central_header(outer, 0) +
                       central_header({"b", "data"}, static_cast<std::uint32_t>(local_header(outer).size()));
  EXPECT_EQ(refusal(before + central + end_record(2, central.size(), before.size())), "damaged");
}

TEST(ZipDirectory, RefusesDuplicateNames) {
  EXPECT_EQ(refusal(zip({{"a", "one"}, {"a", "two"}})), "damaged");
}

TEST(ZipDirectory, RefusesSizesAndOffsetsThatLie) {
  const auto file = zip(kTwo);
  const auto seven = little_endian<std::uint32_t>(7);
  // "numbers" is 7 bytes: packed and unpacked size in the local header, then in the directory.
  for (const std::size_t place : {0U, 1U, 2U, 3U})
    for (const std::uint32_t lie : {6U, 8U, 0x7fffffffU, 0xffffffffU})
      EXPECT_EQ(refusal(changed(file, seven, little_endian(lie), place)), "damaged") << place << " " << lie;
  // All four agree on what is not there.
  auto agreed = file;
  for (const std::size_t place : {0U, 0U, 0U, 0U})
    agreed = changed(agreed, seven, little_endian<std::uint32_t>(8), place);
  EXPECT_EQ(refusal(agreed), "damaged");
  const auto end = file.size() - 22;
  for (const std::size_t field : {10U, 12U, 16U})  // entries, the directory's size and offset
    for (const int lie : {0, 1, 0x70}) {
      auto wrong = file;
      wrong[end + field] = static_cast<char>(wrong[end + field] ^ (lie + 1));
      EXPECT_EQ(refusal(wrong), "damaged") << field << " " << lie;
    }
}

TEST(ZipDirectory, RefusesEncryptedEntries) {
  const auto file = zip({{"a", "secret"}});
  EXPECT_EQ(refusal(changed(file, std::string("PK\x01\x02") + std::string(6, '\0'),
                            std::string("PK\x01\x02") + std::string(4, '\0') + "\x01")),
            "damaged");
}

TEST(ZipDirectory, NoticesContentThatHasChanged) {
  const auto file = changed(zip(kTwo), "numbers", "nombers");
  const auto directory = ZipDirectory::open(as_bytes(file));
  ASSERT_TRUE(directory);
  EXPECT_TRUE(directory->read("a/data.pkl"));
  EXPECT_EQ(directory->read("a/data/0").error().code, "damaged");
}

TEST(ZipDirectory, SurvivesEveryFlippedByte) {
  const auto file = zip(kTwo);
  for (std::size_t at = 0; at < file.size(); ++at)
    for (const int flip : {0x01, 0x80, 0xff}) {
      auto wrong = file;
      wrong[at] = static_cast<char>(wrong[at] ^ flip);
      const auto directory = ZipDirectory::open(as_bytes(wrong));
      if (directory) (void)directory->read("a/data/0");
    }
}

}  // namespace
}  // namespace alcove::weights
