// Any bytes as a torch file, old or new, and every number of every tensor in it.

#include "weights/checkpoint.h"
#include "weights/torch_archive.h"
#include "weights/torch_legacy.h"

namespace {

using namespace alcove;
using namespace alcove::weights;

void use(const Result<std::shared_ptr<const Value>>& root) {
  if (!root) return;
  for (const auto& [name, tensor] : tensors_in(root->get()))
    if (tensor.element_count() < 1'000'000) (void)to_floats(tensor);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  use(read_torch_archive({data, size}, nullptr));
  use(read_torch_legacy({data, size}, nullptr));
  return 0;
}
