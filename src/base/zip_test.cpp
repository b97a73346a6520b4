#include "base/zip.h"

#include <gtest/gtest.h>
#include <zip.h>

namespace alcove {
namespace {

struct File {
  std::string name, content;
  bool stored = false;
};

std::string zipped(const std::vector<File>& files, const char* password = nullptr) {
  zip_error_t error;
  zip_error_init(&error);
  auto* target = zip_source_buffer_create(nullptr, 0, 0, &error);
  auto* archive = zip_open_from_source(target, ZIP_TRUNCATE, &error);
  zip_source_keep(target);
  for (const auto& file : files) {
    auto* source = zip_source_buffer(archive, file.content.data(), file.content.size(), 0);
    const auto index =
        static_cast<std::uint64_t>(zip_file_add(archive, file.name.c_str(), source, ZIP_FL_ENC_UTF_8));
    if (file.stored) zip_set_file_compression(archive, index, ZIP_CM_STORE, 0);
    if (password != nullptr) zip_file_set_encryption(archive, index, ZIP_EM_AES_256, password);
  }
  EXPECT_EQ(zip_close(archive), 0);
  zip_source_open(target);
  zip_source_seek(target, 0, SEEK_END);
  std::string bytes(static_cast<std::size_t>(zip_source_tell(target)), '\0');
  zip_source_seek(target, 0, SEEK_SET);
  zip_source_read(target, bytes.data(), bytes.size());
  zip_source_close(target);
  zip_source_free(target);
  return bytes;
}

TEST(ZipArchive, GivesItsFiles) {
  const auto bytes = zipped({{"a.jpg", "first"}, {"folder/b.jpg", "second", true}});
  EXPECT_TRUE(ZipArchive::recognises(as_bytes(bytes)));
  const auto archive = ZipArchive::open(as_bytes(bytes), 10);
  ASSERT_TRUE(archive) << archive.error().message;
  ASSERT_EQ(archive->entries().size(), 2);
  EXPECT_EQ(archive->entries()[1].name, "folder/b.jpg");
  EXPECT_EQ(archive->read(archive->entries()[0], 100).value(), "first");
  EXPECT_EQ(archive->read(archive->entries()[1], 6).value(), "second");
  EXPECT_EQ(archive->read(archive->entries()[1], 5).error().code, "file_too_large");
}

TEST(ZipArchive, StopsABombWhateverItsDirectorySays) {
  auto bytes = zipped({{"bomb", std::string(10 << 20, '\0')}});
  const std::uint32_t size = 10 << 20, lie = 100;
  const std::string real(reinterpret_cast<const char*>(&size), 4),
      claimed(reinterpret_cast<const char*>(&lie), 4);
  for (auto at = bytes.find(real); at != std::string::npos; at = bytes.find(real, at + 4))
    bytes.replace(at, 4, claimed);
  const auto archive = ZipArchive::open(as_bytes(bytes), 10);
  ASSERT_TRUE(archive) << archive.error().message;
  EXPECT_EQ(archive->entries()[0].size, 100);
  // Also within the limit: four hundred such entries over the same data would keep a worker for minutes.
  EXPECT_EQ(archive->read(archive->entries()[0], 20 << 20).error().message,
            "the ZIP archive is damaged: an entry holds more than it claims");
}

TEST(ZipArchive, CountsEntriesAndTellsEncryptedOnes) {
  const auto many = zipped({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  EXPECT_EQ(ZipArchive::open(as_bytes(many), 2).error().code, "too_many_files");
  const auto locked = zipped({{"a", "1"}}, "secret");
  const auto archive = ZipArchive::open(as_bytes(locked), 2);
  ASSERT_TRUE(archive);
  EXPECT_EQ(archive->read(archive->entries()[0], 10).error().code, "encrypted_entry");
}

TEST(ZipArchive, CutOrFlippedItIsAnErrorOrSomethingSmall) {
  const auto whole = zipped({{"a.jpg", "first and rather longer than the rest of them"}, {"b", "x"}});
  const auto look = [](const std::string& bytes) {
    const auto archive = ZipArchive::open(as_bytes(bytes), 10);
    if (!archive) {
      EXPECT_FALSE(archive.error().message.empty());
      return;
    }
    for (const auto& entry : archive->entries())
      if (const auto content = archive->read(entry, 1000)) {
        EXPECT_LE(content->size(), 1000);
      }
  };
  for (std::size_t length = 0; length < whole.size(); ++length) {
    look(whole.substr(0, length));
    auto flipped = whole;
    flipped[length] = static_cast<char>(flipped[length] ^ 0x55);
    look(flipped);
  }
}

TEST(ZipArchive, KnowsNamesThatLeadAstray) {
  for (const auto* name : {"", "/etc/passwd", "../a", "a/../../b", "a/..", "..", "C:a", "a\\b", "a\nb"})
    EXPECT_TRUE(ZipArchive::leads_astray(name)) << name;
  for (const auto* name : {"a.jpg", "a/b.jpg", "..a", "a..b/c...jpg"})
    EXPECT_FALSE(ZipArchive::leads_astray(name)) << name;
}

}  // namespace
}  // namespace alcove
