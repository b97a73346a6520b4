#pragma once
// The checksum of zip entries.

#include <cstdint>

#include "base/bytes.h"

namespace alcove::weights {

// CRC-32 as zip and gzip use it (reflected polynomial 0xEDB88320); of nothing it is 0.
std::uint32_t crc32(Bytes bytes);

}  // namespace alcove::weights
