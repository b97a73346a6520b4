// Any bytes as a zip archive: what is found lies inside it, and reads without a step outside.

#include <cstdlib>

#include "weights/zip_directory.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alcove;
  const auto directory = weights::ZipDirectory::open({data, size});
  if (!directory) {
    if (directory.error().code.empty()) std::abort();
    return 0;
  }
  for (const auto& [name, entry] : directory->entries()) {
    if (!entry.data.empty() &&
        (entry.data.data() < data || entry.data.data() + entry.data.size() > data + size))
      std::abort();
    (void)directory->read(name);
  }
  return 0;
}
