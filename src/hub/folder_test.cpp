#include "hub/folder.h"

#include <gtest/gtest.h>

#include <fstream>

namespace alcove::hub {
namespace {

namespace fs = std::filesystem;

class FolderTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& path, const std::string& text = "x") const {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }
  std::vector<std::string> paths(const std::string& prefix = {}) const {
    std::vector<std::string> found;
    const auto files = list_folder(folder_, prefix).value();
    for (const auto& file : files) found.push_back(file.path);
    return found;
  }

  // Tests run side by side, each in a process of its own.
  fs::path folder_ =
      fs::path(testing::TempDir()) /
      (std::string("hub_folder_") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

using Paths = std::vector<std::string>;

TEST_F(FolderTest, TakesHiddenFilesAndOddNames) {
  write(".gitattributes");
  write("Dockerfile");
  write("with blank #1 100%é.txt");
  write("models/a.pt", "");
  EXPECT_EQ(paths(), (Paths{".gitattributes", "Dockerfile", "models/a.pt", "with blank #1 100%é.txt"}));
  EXPECT_EQ(paths("sub/").front(), "sub/.gitattributes");
}

TEST_F(FolderTest, LeavesCachesAndSecretsOut) {
  for (const char* path : {".git/config", ".github/workflows/x.yml", "api_cache/a", "chroma_db_persistent/b",
                           "persistent_storage/c", "deep/__pycache__/d", ".env", ".env.local", "id_rsa",
                           "server.key", "a.token"})
    write(path);
  write("environment.md");
  EXPECT_EQ(paths(), (Paths{"environment.md"}));
}

TEST_F(FolderTest, FollowsLinksInsideAndRefusesThoseOut) {
  write("a.txt");
  fs::create_symlink("a.txt", folder_ / "b.txt");
  EXPECT_EQ(paths(), (Paths{"a.txt", "b.txt"}));
  fs::create_symlink("/etc/passwd", folder_ / "c.txt");
  const auto out = list_folder(folder_);
  ASSERT_FALSE(out);
  EXPECT_NE(out.error().message.find("leads out of"), std::string::npos);
  fs::remove(folder_ / "c.txt");
  fs::create_symlink("nowhere", folder_ / "d.txt");
  EXPECT_FALSE(list_folder(folder_));
}

TEST_F(FolderTest, KnowsPointers) {
  write("a.pt", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
  write("b.pt", "version");
  EXPECT_TRUE(is_lfs_pointer(folder_ / "a.pt"));
  EXPECT_FALSE(is_lfs_pointer(folder_ / "b.pt"));
}

TEST_F(FolderTest, SaysWhenThereIsNone) {
  EXPECT_EQ(list_folder(folder_ / "none").error().kind, ErrorKind::NotFound);
}

}  // namespace
}  // namespace alcove::hub
