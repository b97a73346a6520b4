#include "hub/cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

namespace alcove::hub {
namespace {

namespace fs = std::filesystem;

const std::string kCommit(40, 'a');
const std::string kEtag(64, 'b');

class CacheTest : public testing::Test {
 protected:
  void SetUp() override { fs::remove_all(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  // Tests run side by side, each in a process of its own.
  fs::path folder_ =
      fs::path(testing::TempDir()) /
      (std::string("hub_cache_") + testing::UnitTest::GetInstance()->current_test_info()->name());
  RepoCache cache_{folder_, {RepoKind::Model, "alice/net"}};
};

TEST_F(CacheTest, LinksFilesToTheirContent) {
  ASSERT_TRUE(cache_.prepare());
  std::ofstream(cache_.blob(kEtag)) << "x";
  EXPECT_FALSE(cache_.find(kCommit, "sub/a.bin"));
  ASSERT_TRUE(cache_.link(kCommit, "sub/a.bin", kEtag));
  ASSERT_TRUE(cache_.link(kCommit, "sub/a.bin", kEtag)) << "twice is no mistake";
  const auto file = cache_.find(kCommit, "sub/a.bin").value();
  EXPECT_EQ(fs::read_symlink(file), "../../../blobs/" + kEtag);
  EXPECT_EQ(fs::file_size(file), 1U);
}

// Eight files of a snapshot are fetched side by side, and each finds the cache empty.
TEST_F(CacheTest, IsPreparedByManyThreadsAtOnce) {
  for (int round = 0; round < 50; ++round) {
    fs::remove_all(folder_);
    std::atomic<int> failed = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 8; ++i) threads.emplace_back([&] { failed += cache_.prepare() ? 0 : 1; });
    }
    ASSERT_EQ(failed, 0);
    ASSERT_EQ(std::distance(fs::directory_iterator(folder_), {}), 3) << "the tag, the locks, the repository";
  }
}

TEST_F(CacheTest, RemembersRevisions) {
  cache_.remember_revision("refs/pr/1", kCommit);
  EXPECT_EQ(cache_.commit_of("refs/pr/1"), kCommit);
  EXPECT_EQ(fs::file_size(folder_ / "models--alice--net/refs/refs/pr/1"), 40U);
  EXPECT_EQ(cache_.commit_of("main"), std::nullopt);
  EXPECT_EQ(cache_.commit_of(kCommit), kCommit);
  cache_.remember_revision("../../escape", kCommit);
  EXPECT_FALSE(fs::exists(folder_ / "escape"));
  std::ofstream(folder_ / "models--alice--net/refs/bad") << "../../etc";
  EXPECT_EQ(cache_.commit_of("bad"), std::nullopt);
}

TEST_F(CacheTest, LocksOneWriterAtATime) {
  ASSERT_TRUE(cache_.prepare());
  std::stop_source stop;
  auto held = BlobLock::take(cache_, kEtag, stop.get_token());
  ASSERT_TRUE(held);
  std::jthread stopper([&] { stop.request_stop(); });
  const auto second = BlobLock::take(cache_, kEtag, stop.get_token());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "cancelled");
}

TEST_F(CacheTest, SaysWhoseFolderItMayBe) {
  std::ofstream(folder_.string()) << "a file where a folder should be";
  const auto made = cache_.prepare();
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("set HF_HOME"), std::string::npos) << made.error().message;
}

}  // namespace
}  // namespace alcove::hub
