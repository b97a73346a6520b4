#pragma once
// Wall-clock time as the ledger keeps it.

#include <chrono>
#include <cstdint>
#include <string>

namespace alcove::gateway {

// Milliseconds since 1970, UTC. May go backwards, when somebody sets the clock.
inline std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string iso_time(std::int64_t ms);  // "2026-11-21T18:30:05.123Z"

std::string new_uuid();  // random, version 4

}  // namespace alcove::gateway
