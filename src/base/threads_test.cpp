#include "base/threads.h"

#include <gtest/gtest.h>

#include <fstream>

namespace alcove {
namespace {

std::filesystem::path cgroup(const std::string& name, const std::string& file, const std::string& text) {
  const auto root = std::filesystem::path(testing::TempDir()) / name;
  std::filesystem::create_directories((root / file).parent_path());
  std::ofstream(root / file) << text;
  return root;
}

TEST(AvailableThreads, FollowTheQuotaAndNotTheHost) {
  EXPECT_EQ(available_threads(cgroup("one", "cpu.max", "100000 100000\n")), 1);
  EXPECT_EQ(available_threads(cgroup("half", "cpu.max", "50000 100000\n")), 1);
}

TEST(AvailableThreads, WithoutAQuotaAreTheCoresAllowed) {
  const int cores = available_threads("/nonexistent");
  EXPECT_GE(cores, 1);
  EXPECT_EQ(available_threads(cgroup("max", "cpu.max", "max 100000\n")), cores);
  EXPECT_EQ(available_threads(cgroup("many", "cpu.max", "6400000 100000\n")), cores)
      << "never more than the cores there are";
}

TEST(AvailableThreads, ReadTheOlderLayoutToo) {
  const auto root = cgroup("v1", "cpu/cpu.cfs_quota_us", "100000\n");
  cgroup("v1", "cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(available_threads(root), 1);
}

}  // namespace
}  // namespace alcove
