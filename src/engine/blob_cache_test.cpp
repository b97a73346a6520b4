#include "engine/blob_cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iterator>

namespace alcove::engine {
namespace {

namespace fs = std::filesystem;

class BlobCacheTest : public testing::Test {
 protected:
  BlobCacheTest() {
    std::string name = (fs::temp_directory_path() / "alcove-blobs-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~BlobCacheTest() override { fs::remove_all(folder_); }

  std::string file_of(const BlobKey& key) const {
    std::ifstream in(folder_ / key.file_name(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put_file(const BlobKey& key, const std::string& bytes) const {
    std::ofstream(folder_ / key.file_name(), std::ios::binary) << bytes;
  }

  fs::path folder_;
  BlobKey key_{"5eed", "9a4f", "1x3x640x480", "f32", "zen3", "2026.4.1", "0.1.0"};
  std::string blob_ = "weights, packed for this CPU";
};

TEST_F(BlobCacheTest, FindsWhatWasKept) {
  const BlobCache cache(folder_);
  EXPECT_FALSE(cache.find(key_));
  cache.keep(key_, as_bytes(blob_));
  const auto found = cache.find(key_);
  ASSERT_TRUE(found);
  EXPECT_EQ(as_text(found->bytes), blob_);
  EXPECT_EQ((as_text(found->bytes).data() - static_cast<const char*>(nullptr)) % 64, 0) << "usable in place";
}

TEST_F(BlobCacheTest, MakesItsFolderAndLeavesNothingElseInIt) {
  const BlobCache cache(folder_ / "a" / "b");
  cache.keep(key_, as_bytes(blob_));
  EXPECT_TRUE(cache.find(key_));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "a" / "b"), fs::directory_iterator()), 1);
}

TEST_F(BlobCacheTest, EveryPartOfTheKeyCounts) {
  const std::function<void(BlobKey&)> changes[] = {
      [](BlobKey& key) { key.weights = "other"; }, [](BlobKey& key) { key.graph = "other"; },
      [](BlobKey& key) { key.shape = "other"; },   [](BlobKey& key) { key.precision = "bf16"; },
      [](BlobKey& key) { key.cpu = "other"; },     [](BlobKey& key) { key.engine = "2027.0"; },
      [](BlobKey& key) { key.program = "0.2.0"; }};
  const BlobCache cache(folder_);
  cache.keep(key_, as_bytes(blob_));
  for (const auto& change : changes) {
    BlobKey other = key_;
    change(other);
    EXPECT_FALSE(cache.find(other)) << other.text();
    // Even when the file of the one lies under the name of the other.
    if (other.file_name() != key_.file_name()) put_file(other, file_of(key_));
    EXPECT_FALSE(cache.find(other)) << other.text();
  }
  EXPECT_TRUE(cache.find(key_));
}

TEST_F(BlobCacheTest, ANewerProgramTakesThePlaceOfTheOlder) {
  const BlobCache cache(folder_);
  cache.keep(key_, as_bytes(blob_));
  key_.program = "0.2.0";
  cache.keep(key_, as_bytes("newer"));
  EXPECT_EQ(as_text(cache.find(key_)->bytes), "newer");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(BlobCacheTest, AFileCutShortAnywhereIsPassedOver) {
  const BlobCache cache(folder_);
  cache.keep(key_, as_bytes(blob_));
  const std::string whole = file_of(key_);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    put_file(key_, whole.substr(0, size));
    EXPECT_FALSE(cache.find(key_)) << size << " bytes of " << whole.size();
  }
  put_file(key_, whole + "x");
  EXPECT_FALSE(cache.find(key_));
  put_file(key_, whole);
  EXPECT_TRUE(cache.find(key_));
}

TEST_F(BlobCacheTest, AFlippedBitIsNeverHandedOut) {
  const BlobCache cache(folder_);
  cache.keep(key_, as_bytes(blob_));
  const std::string whole = file_of(key_);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    put_file(key_, damaged);
    // The padding before the blob is the one place that carries nothing.
    const auto found = cache.find(key_);
    if (found) {
      EXPECT_EQ(whole[i], '\0') << i;
      EXPECT_EQ(as_text(found->bytes), blob_);
    }
  }
}

TEST_F(BlobCacheTest, AFolderThatCannotBeWrittenCostsNothingButTime) {
  std::ofstream(folder_ / "file") << "in the way";
  const BlobCache cache(folder_ / "file" / "cache");
  cache.keep(key_, as_bytes(blob_));
  EXPECT_FALSE(cache.find(key_));
  fs::create_directories(folder_ / key_.file_name());  // a folder under the file's name
  const BlobCache taken(folder_);
  taken.keep(key_, as_bytes(blob_));
  EXPECT_FALSE(taken.find(key_));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 2)
      << "nothing left aside";
}

TEST_F(BlobCacheTest, WithoutAFolderNothingIsKept) {
  const BlobCache cache({});
  cache.keep(key_, as_bytes(blob_));
  EXPECT_FALSE(cache.find(key_));
  EXPECT_FALSE(fs::exists(key_.file_name()));
}

TEST_F(BlobCacheTest, TheCpuIsKnownByModelAndFeaturesNotByItsClock) {
  const auto identity = [&](const std::string& text) {
    std::ofstream(folder_ / "cpuinfo") << text;
    return cpu_identity(folder_ / "cpuinfo");
  };
  const auto plain =
      identity("model\t\t: 1\nmodel name\t: EPYC\ncpu MHz\t\t: 2445.4\nflags\t\t: avx2\n\nmodel\t\t: 7\n");
  EXPECT_EQ(plain, identity("model\t\t: 1\nmodel name\t: EPYC\ncpu MHz\t\t: 3000.0\nflags\t\t: avx2\n"));
  EXPECT_NE(plain, identity("model\t\t: 1\nmodel name\t: EPYC\nflags\t\t: avx2 avx512_bf16\n"));
  EXPECT_NE(plain, identity("model\t\t: 1\nmodel name\t: Xeon\nflags\t\t: avx2\n"));
  EXPECT_EQ(cpu_identity(folder_ / "none"), "unknown");
}

}  // namespace
}  // namespace alcove::engine
