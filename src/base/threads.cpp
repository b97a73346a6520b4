#include "base/threads.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <string>

namespace alcove {
namespace {

std::optional<double> quota_v2(const std::filesystem::path& root) {
  std::ifstream in(root / "cpu.max");
  std::string quota;
  double period = 0;
  if (!(in >> quota >> period) || quota == "max" || period <= 0) return std::nullopt;
  return std::strtod(quota.c_str(), nullptr) / period;
}

std::optional<double> quota_v1(const std::filesystem::path& root) {
  double quota = 0;
  double period = 0;
  std::ifstream(root / "cpu" / "cpu.cfs_quota_us") >> quota;
  std::ifstream(root / "cpu" / "cpu.cfs_period_us") >> period;
  if (quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

int allowed_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return std::max(1, CPU_COUNT(&cores));
}

}  // namespace

int available_threads(const std::filesystem::path& cgroup_root) {
  auto quota = quota_v2(cgroup_root);
  if (!quota) quota = quota_v1(cgroup_root);
  const int cores = allowed_cores();
  if (!quota) return cores;
  return std::clamp(static_cast<int>(std::ceil(*quota)), 1, cores);
}

}  // namespace alcove
