#pragma once
// What a worker that opens foreign bytes may not do. The only user of libseccomp.

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace alcove::imaging {

struct WorkerLimits {
  std::uint64_t memory = 2ULL << 30;  // address space, bytes
  std::uint64_t cpu_seconds = 10;
};

// A bit for each, in this order.
constexpr std::array<std::string_view, 8> kLimitNames{
    "seccomp", "no_new_privileges", "memory",  "cpu_time",
    "files",   "file_size",         "no_core", "dies_with_parent"};
using GrantedLimits = std::uint8_t;

// Takes from this process for good: system calls but those that memory, threads and one socket need, memory,
// time, further files, core dumps, and its life when `parent` ends. What the host refuses is left out, and
// the rest stays. What is returned was tried, not believed.
GrantedLimits give_up_rights(const WorkerLimits& limits, pid_t parent);

}  // namespace alcove::imaging
