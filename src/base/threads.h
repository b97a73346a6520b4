#pragma once
// How many threads this process may keep busy.

#include <filesystem>

namespace alcove {

// The cgroup's CPU quota (v2 `cpu.max`, v1 `cpu.cfs_quota_us`) rounded up, never more than the cores this
// process may run on and never less than 1. A container on a 64-core host with two cores' quota gets 2, where
// hardware_concurrency would say 64.
int available_threads(const std::filesystem::path& cgroup_root = "/sys/fs/cgroup");

}  // namespace alcove
